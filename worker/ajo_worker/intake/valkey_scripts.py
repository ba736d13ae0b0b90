"""What is done on the server of Redis or Valkey, each in one step that nothing can interrupt.

A script that ends early takes back nothing of what it did. So each one first takes out what isn't there: if that is
refused (rights, a key of another type) nothing was done yet, and if it isn't, what is noted can be taken out. As it
needs no memory, and is a write, the server lets the others pass too when it is full (``maxmemory``): what fills it is
what waits, and only taking it makes room (https://redis.io/docs/latest/commands/eval/).
"""

# KEYS of all but the last: unacknowledged, its index.
_BEGIN = """
    redis.call('HDEL', KEYS[1], '')
    redis.call('ZREM', KEYS[2], '')
    local function refusal(reply) return type(reply) == 'table' and reply.err and reply end
"""
# KEYS: also the queues. ARGV: how many at most, prefix of the tags, the room of each queue at the
# index of its key; how many bytes an item may have, and all of them together. One from each queue in turn. Of an item
# that is longer only the begin and the length are handed over: no worker's memory is for senders to fill.
# A queue that refuses keeps the others from nothing; it is told of when nothing else is there.
TAKE = f"""{_BEGIN}
    local taken, most, now, refused = {{}}, tonumber(ARGV[1]), redis.call('TIME'), nil
    local longest, bytes = tonumber(ARGV[#KEYS + 1]), 0
    local score, found, room = now[1] + now[2] / 1e6, true, {{}}
    for queue = 3, #KEYS do room[queue] = tonumber(ARGV[queue]) end
    local function note(queue, item, tag) -- noted before it is popped: there is no moment at which nobody has it
        return refusal(redis.pcall('ZADD', KEYS[2], score, tag))
            or refusal(redis.pcall('HSET', KEYS[1], tag, queue .. '\\n' .. item))
            or refusal(redis.pcall('RPOP', queue))
    end
    while found and #taken < most do
        found = false
        for queue = 3, #KEYS do
            local tag, why = ARGV[2] .. #taken, nil
            local open = #taken < most and bytes < longest and room[queue] > 0
            local item = open and redis.pcall('LINDEX', KEYS[queue], -1)
            if item then
                why = refusal(item) or note(KEYS[queue], item, tag)
            end
            if why then
                refused, room[queue] = why, 0
                redis.call('HDEL', KEYS[1], tag)
                redis.call('ZREM', KEYS[2], tag)
            elseif item then
                found = true
                room[queue] = room[queue] - 1
                local length = #item
                if length > longest then item = string.sub(item, 1, 65536) end
                bytes = bytes + #item
                taken[#taken + 1] = {{tag, KEYS[queue], item, length}}
            end
        end
    end
    return #taken == 0 and refused or taken
"""
# A message goes back to where it came from, to be taken next. What is refused stays noted: those that give back answer
# with why (of the last one, or nothing) and the tags of what stayed.
_BACK = f"""{_BEGIN}
    local why, stayed = '', {{}}
    local function back(tag)
        local held = redis.call('HGET', KEYS[1], tag)
        local cut = held and string.find(held, '\\n', 1, true)
        local refused = cut and refusal(redis.pcall('RPUSH', string.sub(held, 1, cut - 1), string.sub(held, cut + 1)))
        if refused then
            why, stayed[#stayed + 1] = refused.err, tag
        else
            redis.call('HDEL', KEYS[1], tag)
            redis.call('ZREM', KEYS[2], tag)
        end
    end
    local function is_of(tag, owner) return string.sub(tag, 1, #owner) == owner end
"""
# ARGV: tags.
GIVE_BACK = f"""{_BACK}
    for _, tag in ipairs(ARGV) do back(tag) end
    return {{why, stayed}}
"""
# ARGV: whose tags stay, and whose go back.
GIVE_BACK_OF = f"""{_BACK}
    for _, tag in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
        for owner = 2, #ARGV do
            if is_of(tag, ARGV[owner]) and not is_of(tag, ARGV[1]) then back(tag) end
        end
    end
    return {{why, stayed}}
"""
# ARGV: whose tags. What a living worker has in hand is not abandoned, however long it waits.
RENEW = f"""{_BACK}
    local now = redis.call('TIME')
    for _, tag in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
        if is_of(tag, ARGV[1]) then redis.call('ZADD', KEYS[2], 'XX', now[1] + now[2] / 1e6, tag) end
    end
"""
# ARGV: seconds after which a message counts as abandoned, how many at most.
ABANDONED = """
    local now = redis.call('TIME')
    return redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now[1] - tonumber(ARGV[1]), 'LIMIT', 0, ARGV[2])
"""
