
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>


/*
 * A network that is so far away: passes bytes between its clients and a port
 * of 127.0.0.1, those of each direction half of the delay later, in order.
 *
 *     delay LISTEN-PORT TARGET-PORT MICROSECONDS
 */


#define DELAY_EVENTS     256
#define DELAY_READ_SIZE  65536
#define DELAY_BACKLOG    1024


/* what has been read, and when it is to be passed on */

typedef struct delay_chunk_s  delay_chunk_t;

struct delay_chunk_s {
    delay_chunk_t  *next;
    uint64_t        due;                /* nanoseconds, CLOCK_MONOTONIC */
    int             to;                 /* the other end; -1: it is gone */
    size_t          size;
    char            data[];
};


typedef struct delay_end_s  delay_end_t;

struct delay_end_s {
    int           fd;
    delay_end_t  *other;                /* NULL: it is closed */
};


static void delay_accept(int listening, int target);
static void delay_add(delay_end_t *end);
static void delay_read(delay_end_t *end);
static void delay_queue(delay_end_t *end, const char *data, size_t size);
static void delay_pass(void);
static void delay_close(delay_end_t *end);
static void delay_arm(void);
static int delay_socket(int port, int listening);
static uint64_t delay_now(void);
static void delay_fail(const char *what);


static int             delay_epoll;
static int             delay_timer;
static uint64_t        delay_ns;
static delay_chunk_t  *delay_first;     /* all are late by the same: a queue */
static delay_chunk_t  *delay_last;


int
main(int argc, char **argv)
{
    int                  i, n, listening, target;
    delay_end_t         *end;
    struct epoll_event   events[DELAY_EVENTS], event;

    if (argc != 4) {
        fprintf(stderr, "delay LISTEN-PORT TARGET-PORT MICROSECONDS\n");
        return 1;
    }

    /* as exact as the kernel can be */
    prctl(PR_SET_TIMERSLACK, 1UL);

    target = atoi(argv[2]);
    delay_ns = strtoull(argv[3], NULL, 10) * 1000 / 2;
    listening = delay_socket(atoi(argv[1]), 1);

    delay_epoll = epoll_create1(0);
    delay_timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

    event.events = EPOLLIN;
    event.data.ptr = &listening;
    epoll_ctl(delay_epoll, EPOLL_CTL_ADD, listening, &event);

    event.data.ptr = &delay_timer;
    epoll_ctl(delay_epoll, EPOLL_CTL_ADD, delay_timer, &event);

    for ( ;; ) {
        n = epoll_wait(delay_epoll, events, DELAY_EVENTS, -1);

        for (i = 0; i < n; i++) {
            if (events[i].data.ptr == &listening) {
                delay_accept(listening, target);

            } else if (events[i].data.ptr != &delay_timer) {
                end = events[i].data.ptr;
                delay_read(end);
            }
        }

        delay_pass();
        delay_arm();
    }
}


static void
delay_accept(int listening, int target)
{
    int           fd;
    delay_end_t  *near, *far;

    fd = accept(listening, NULL, NULL);

    if (fd == -1) {
        return;
    }

    near = malloc(sizeof(delay_end_t));
    far = malloc(sizeof(delay_end_t));

    if (near == NULL || far == NULL) {
        delay_fail("malloc");
    }

    near->fd = fd;
    near->other = far;
    far->fd = delay_socket(target, 0);
    far->other = near;

    delay_add(near);
    delay_add(far);
}


static void
delay_add(delay_end_t *end)
{
    int                 on;
    struct epoll_event  event;

    on = 1;
    setsockopt(end->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

    event.events = EPOLLIN;
    event.data.ptr = end;
    epoll_ctl(delay_epoll, EPOLL_CTL_ADD, end->fd, &event);
}


static void
delay_read(delay_end_t *end)
{
    ssize_t  n;

    static char  buf[DELAY_READ_SIZE];

    n = recv(end->fd, buf, sizeof(buf), MSG_DONTWAIT);

    if (n > 0 && end->other) {
        delay_queue(end, buf, n);
        return;
    }

    if (n == -1 && errno == EAGAIN) {
        return;
    }

    delay_close(end);
}


static void
delay_queue(delay_end_t *end, const char *data, size_t size)
{
    delay_chunk_t  *chunk;

    chunk = malloc(sizeof(delay_chunk_t) + size);

    if (chunk == NULL) {
        delay_fail("malloc");
    }

    chunk->next = NULL;
    chunk->due = delay_now() + delay_ns;
    chunk->to = end->other->fd;
    chunk->size = size;
    memcpy(chunk->data, data, size);

    if (delay_first == NULL) {
        delay_first = chunk;
    } else {
        delay_last->next = chunk;
    }

    delay_last = chunk;
}


/* what there is to pass is small: a socket always has room for it */

static void
delay_pass(void)
{
    uint64_t        now;
    delay_chunk_t  *chunk;

    now = delay_now();

    while (delay_first && delay_first->due <= now) {
        chunk = delay_first;
        delay_first = chunk->next;

        /* where this fails, the end is closed when it is read from */

        if (chunk->to != -1) {
            (void) send(chunk->to, chunk->data, chunk->size, MSG_NOSIGNAL);
        }

        free(chunk);
    }
}


/*
 * Nobody here closes a connection of which more is wanted: the other end is
 * shut down at once, and closed when that is read.
 */

static void
delay_close(delay_end_t *end)
{
    delay_end_t    *other;
    delay_chunk_t  *chunk;

    other = end->other;

    for (chunk = delay_first; chunk; chunk = chunk->next) {
        if (chunk->to == end->fd) {
            chunk->to = -1;
        }
    }

    close(end->fd);

    if (other) {
        other->other = NULL;
        shutdown(other->fd, SHUT_RDWR);
    }

    free(end);
}


static void
delay_arm(void)
{
    struct itimerspec  at;

    memset(&at, 0, sizeof(at));

    if (delay_first) {
        at.it_value.tv_sec = delay_first->due / 1000000000;
        at.it_value.tv_nsec = delay_first->due % 1000000000;
    }

    timerfd_settime(delay_timer, TFD_TIMER_ABSTIME, &at, NULL);
}


static int
delay_socket(int port, int listening)
{
    int                 fd, on;
    struct sockaddr_in  addr;

    fd = socket(AF_INET, SOCK_STREAM, 0);
    on = 1;

    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_port = htons(port);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    if (!listening) {
        if (connect(fd, (struct sockaddr *) &addr, sizeof(addr)) != 0) {
            delay_fail("connect");
        }

        return fd;
    }

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));

    if (bind(fd, (struct sockaddr *) &addr, sizeof(addr)) != 0
        || listen(fd, DELAY_BACKLOG) != 0)
    {
        delay_fail("listen");
    }

    return fd;
}


static uint64_t
delay_now(void)
{
    struct timespec  now;

    clock_gettime(CLOCK_MONOTONIC, &now);

    return (uint64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}


static void
delay_fail(const char *what)
{
    perror(what);
    exit(1);
}
