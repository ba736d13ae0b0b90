"""What is done on the server of Redis or Valkey, each in one step that nothing can interrupt."""

# KEYS: unacknowledged, its index, the queues. ARGV: how many at most, prefix of the tags, the room of each queue at the
# index of its key; how many bytes an item may have, and all of them together. One from each queue in turn. Of an item
# that is longer only the begin and the length are handed over: no worker's memory is for senders to fill.
TAKE = """
    local taken, most, now = {}, tonumber(ARGV[1]), redis.call('TIME')
    local longest, bytes = tonumber(ARGV[#KEYS + 1]), 0
    local score, found, room = now[1] + now[2] / 1e6, true, {}
    for queue = 3, #KEYS do room[queue] = tonumber(ARGV[queue]) end
    while found and #taken < most do
        found = false
        for queue = 3, #KEYS do
            local item = #taken < most and bytes < longest and room[queue] > 0 and redis.call('LINDEX', KEYS[queue], -1)
            if item then -- noted before it is popped: a note that fails (no memory) leaves it where it is
                found = true
                local tag = ARGV[2] .. #taken
                redis.call('HSET', KEYS[1], tag, KEYS[queue] .. '\\n' .. item)
                redis.call('ZADD', KEYS[2], score, tag)
                redis.call('RPOP', KEYS[queue])
                room[queue] = room[queue] - 1
                local length = #item
                if length > longest then item = string.sub(item, 1, 65536) end
                bytes = bytes + #item
                taken[#taken + 1] = {tag, KEYS[queue], item, length}
            end
        end
    end
    return taken
"""
# KEYS of all that follow: unacknowledged, its index. A message goes back to where it came from, to be taken next.
_BACK = """
    local function back(tag)
        local held = redis.call('HGET', KEYS[1], tag)
        redis.call('HDEL', KEYS[1], tag)
        redis.call('ZREM', KEYS[2], tag)
        if held then
            local cut = string.find(held, '\\n', 1, true)
            redis.call('RPUSH', string.sub(held, 1, cut - 1), string.sub(held, cut + 1))
        end
    end
    local function is_of(tag, owner) return string.sub(tag, 1, #owner) == owner end
"""
# ARGV: tags.
GIVE_BACK = f"{_BACK} for _, tag in ipairs(ARGV) do back(tag) end"
# ARGV: whose tags stay, and whose go back.
GIVE_BACK_OF = f"""{_BACK}
    for _, tag in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
        for owner = 2, #ARGV do
            if is_of(tag, ARGV[owner]) and not is_of(tag, ARGV[1]) then back(tag) end
        end
    end
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
