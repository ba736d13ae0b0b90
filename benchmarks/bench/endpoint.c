/* The endpoint that all contenders call: one thread, epoll, HTTP/1.1 with keep-alive, TLS and a latency if they are
 * asked for. In C, since it shares the machine's cores with what is measured: a call costs it 10 to 20 microseconds,
 * a tenth of what the leanest server in Python takes.
 *
 * endpoint PORT LATENCY_MS JITTER_MS JOURNAL [CERTIFICATE KEY]
 *
 * A POST to …/executions/… is answered 202 after the latency, and noted: its requestId, and CLOCK_REALTIME in
 * nanoseconds when its first bytes were read. GET /stats tells at once how many calls there were. SIGTERM writes the
 * journal and ends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_CONNECTIONS 65536
#define ID_LENGTH 36

typedef struct {
    int fd;
    unsigned generation; /* a descriptor is used again: a timer of its last owner must find nobody */
    SSL *tls;
    int shaken_hands, busy;
    int64_t first; /* when the first bytes of this request were read */
    char *in, *out;
    size_t in_used, in_size, out_used, out_done, out_size;
    char id[ID_LENGTH + 1];
} Connection;
typedef struct { char id[ID_LENGTH + 1]; int64_t at; } Entry;
typedef struct { int64_t due; int fd; unsigned generation; } Timer;

static Connection *connections[MOST_CONNECTIONS];
static Entry *journal;
static Timer *timers; /* a heap */
static size_t calls, journal_size, waiting, timers_size;
static long in_flight, most_in_flight, open_now, most_open;
static double latency_ms, jitter_ms;
static volatile sig_atomic_t stopping;
static SSL_CTX *tls;
static int poller;
static unsigned generations, seed = 12345;

static void stop(int number) { (void)number; stopping = 1; }

static int64_t now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void wait_until(Timer timer) {
    if (waiting == timers_size) timers = realloc(timers, (timers_size = timers_size * 2 + 1024) * sizeof *timers);
    size_t i = waiting++;
    for (; i && timers[(i - 1) / 2].due > timer.due; i = (i - 1) / 2) timers[i] = timers[(i - 1) / 2];
    timers[i] = timer;
}

static Timer next_timer(void) {
    Timer first = timers[0], last = timers[--waiting];
    size_t i = 0, child;
    while ((child = 2 * i + 1) < waiting) {
        if (child + 1 < waiting && timers[child + 1].due < timers[child].due) child++;
        if (timers[child].due >= last.due) break;
        timers[i] = timers[child];
        i = child;
    }
    timers[i] = last;
    return first;
}

static void drop(Connection *c) {
    if (c->busy) in_flight--;
    if (c->tls) SSL_free(c->tls);
    connections[c->fd] = NULL;
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c);
    open_now--;
}

static int again(Connection *c, int result) { /* whether TLS only waits for the socket */
    int error = SSL_get_error(c->tls, result);
    ERR_clear_error();
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static ssize_t read_some(Connection *c, char *into, size_t size) { /* 0: it ended; -1: nothing yet */
    if (c->tls) {
        int n = SSL_read(c->tls, into, (int)size);
        return n > 0 ? n : again(c, n) ? -1 : 0;
    }
    ssize_t n = recv(c->fd, into, size, 0);
    return n >= 0 ? n : errno == EAGAIN ? -1 : 0;
}

static int write_out(Connection *c) { /* -1: the connection is gone */
    while (c->out_done < c->out_used) {
        const char *from = c->out + c->out_done;
        size_t size = c->out_used - c->out_done;
        ssize_t n;
        if (c->tls) {
            n = SSL_write(c->tls, from, (int)size);
            if (n <= 0 && again(c, (int)n)) n = -1; else if (n <= 0) n = 0;
        } else {
            n = send(c->fd, from, size, MSG_NOSIGNAL);
            if (n < 0 && errno != EAGAIN) n = 0;
        }
        if (n == 0) { drop(c); return -1; }
        if (n < 0) {
            struct epoll_event event = {EPOLLIN | EPOLLOUT, {.fd = c->fd}};
            epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
            return 0;
        }
        c->out_done += (size_t)n;
    }
    c->out_used = c->out_done = 0;
    return 0;
}

static int answer(Connection *c, int status, const char *body) {
    size_t length = strlen(body);
    if (c->out_size < length + 256) c->out = realloc(c->out, c->out_size = length + 512);
    int head = sprintf(c->out, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", status, length);
    memcpy(c->out + head, body, length);
    c->out_used = (size_t)head + length;
    c->out_done = 0;
    return write_out(c);
}

static int accept_call(Connection *c) {
    char body[256];
    sprintf(body, "{\"executionId\":\"UMA-%s\",\"requestId\":\"%s\",\"createdAt\":\"2026-11-28T00:00:00Z\",\"createdBy\":\"endpoint\"}", c->id, c->id);
    c->busy = 0;
    in_flight--;
    return answer(c, 202, body);
}

static int take_call(Connection *c, const char *body, size_t length) {
    const char *name = memmem(body, length, "\"requestId\"", 11), *begin = NULL;
    if (name) begin = memchr(name + 11, '"', length - (size_t)(name + 11 - body));
    strcpy(c->id, "none");
    if (begin) snprintf(c->id, sizeof c->id, "%.*s", ID_LENGTH, begin + 1);
    if (calls == journal_size) journal = realloc(journal, (journal_size = journal_size * 2 + 65536) * sizeof *journal);
    memcpy(journal[calls].id, c->id, sizeof c->id);
    journal[calls++].at = c->first;
    c->busy = 1;
    if (++in_flight > most_in_flight) most_in_flight = in_flight;
    if (latency_ms <= 0) return accept_call(c);
    double milliseconds = latency_ms + jitter_ms * (2.0 * rand_r(&seed) / RAND_MAX - 1.0);
    wait_until((Timer){now(CLOCK_MONOTONIC) + (int64_t)(milliseconds * 1e6), c->fd, c->generation});
    return 0;
}

static int give_token(Connection *c) {
    char body[1200], letters[1001];
    memset(letters, 'x', 1000);
    letters[1000] = 0;
    sprintf(body, "{\"access_token\":\"T%s\",\"token_type\":\"bearer\",\"expires_in\":86399}", letters);
    return answer(c, 200, body);
}

static int give_stats(Connection *c) {
    char body[200];
    sprintf(body, "{\"calls\":%zu,\"in_flight\":%ld,\"most_in_flight\":%ld,\"most_open\":%ld}", calls, in_flight, most_in_flight, most_open);
    return answer(c, 200, body);
}

static void handle(Connection *c) { /* every whole request that was read, one after the other */
    while (c->in_used && !c->busy) {
        c->in[c->in_used] = 0;
        char *end = memmem(c->in, c->in_used, "\r\n\r\n", 4);
        if (!end) return;
        *end = 0;
        char *header = strcasestr(c->in, "\r\ncontent-length:");
        size_t head = (size_t)(end - c->in) + 4, length = header ? strtoul(header + 17, NULL, 10) : 0;
        if (strcasestr(c->in, "\r\ntransfer-encoding:")) { fputs("a body in chunks isn't read\n", stderr); drop(c); return; }
        *end = '\r';
        if (c->in_used < head + length) {
            if (c->in_size < head + length + 1) c->in = realloc(c->in, c->in_size = head + length + 1024);
            return;
        }
        *(char *)memmem(c->in, c->in_used, "\r\n", 2) = 0;
        int result = strstr(c->in, "/executions/") ? take_call(c, c->in + head, length)
                     : strstr(c->in, "/token") ? give_token(c)
                     : strstr(c->in, "/stats") ? give_stats(c) : answer(c, 200, "{}");
        if (result < 0) return;
        c->in_used -= head + length;
        memmove(c->in, c->in + head + length, c->in_used);
        c->first = now(CLOCK_REALTIME);
    }
}

static void read_all(Connection *c) {
    if (c->tls && !c->shaken_hands) {
        int result = SSL_accept(c->tls);
        if (result != 1) { if (!again(c, result)) drop(c); return; }
        c->shaken_hands = 1;
    }
    for (;;) {
        if (c->in_size - c->in_used < 4096) c->in = realloc(c->in, c->in_size = c->in_size * 2 + 4096);
        size_t room = c->in_size - c->in_used - 1;
        ssize_t n = read_some(c, c->in + c->in_used, room);
        if (n == 0) { drop(c); return; }
        if (n < 0) break;
        if (!c->in_used) c->first = now(CLOCK_REALTIME);
        c->in_used += (size_t)n;
        if (!c->tls && (size_t)n < room) break;
    }
    handle(c);
}

static void accept_all(int listener) {
    int fd, yes = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= MOST_CONNECTIONS) { close(fd); continue; }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        Connection *c = connections[fd] = calloc(1, sizeof *c);
        c->fd = fd;
        c->generation = ++generations;
        if (++open_now > most_open) most_open = open_now;
        if (tls) { c->tls = SSL_new(tls); SSL_set_fd(c->tls, fd); SSL_set_accept_state(c->tls); }
        struct epoll_event event = {EPOLLIN, {.fd = fd}};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

static void serve(int fd, unsigned events) {
    Connection *c = connections[fd];
    if (c && events & EPOLLOUT) {
        struct epoll_event event = {EPOLLIN, {.fd = fd}};
        epoll_ctl(poller, EPOLL_CTL_MOD, fd, &event);
        if (write_out(c) < 0) return;
    }
    if (c && events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_all(c);
}

static void answer_due(void) {
    int64_t moment = now(CLOCK_MONOTONIC);
    while (waiting && timers[0].due <= moment) {
        Timer timer = next_timer();
        Connection *c = connections[timer.fd];
        if (c && c->generation == timer.generation && c->busy && accept_call(c) == 0) handle(c);
    }
}

static int listen_on(int port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (void *)&address, sizeof address) || listen(listener, 8192)) { perror("listen"); exit(4); }
    return listener;
}

static void use_tls(const char *certificate, const char *key) {
    tls = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(tls, certificate) != 1 || SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1) {
        ERR_print_errors_fp(stderr);
        exit(3);
    }
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

int main(int count, char **words) {
    if (count < 5) return 2;
    latency_ms = atof(words[2]);
    jitter_ms = atof(words[3]);
    if (count >= 7) use_tls(words[5], words[6]);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max < MOST_CONNECTIONS ? files.rlim_max : MOST_CONNECTIONS;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGTERM, stop);
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    int listener = listen_on(atoi(words[1]));
    struct epoll_event events[512], event = {EPOLLIN, {.fd = listener}};
    poller = epoll_create1(0);
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    puts("listening");
    fflush(stdout);
    while (!stopping) {
        int64_t left = waiting ? timers[0].due - now(CLOCK_MONOTONIC) : 1000000000;
        int n = epoll_wait(poller, events, 512, left <= 0 ? 0 : (int)((left + 999999) / 1000000));
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener) accept_all(listener);
            else serve(events[i].data.fd, events[i].events);
        }
        answer_due();
    }
    FILE *file = fopen(words[4], "w");
    for (size_t i = 0; i < calls; i++) fprintf(file, "%s %lld\n", journal[i].id, (long long)journal[i].at);
    return fclose(file);
}
