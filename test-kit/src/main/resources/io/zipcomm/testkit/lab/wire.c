/*
 * The wires of a network lab: makes network namespaces, connects them by pairs of TUN devices, and carries packets from one
 * device of a pair to the other after a delay, with loss and at a rate if asked to.
 *
 * Commands come as lines on standard input; each is answered by one line, "ok ..." or "error ...":
 *
 *   namespace                                       ok FD      a new namespace, at /proc/PID/fd/FD
 *   link NS-FD DEVICE NS-FD DEVICE DELAY-US         ok LINK    two devices and the wire between them
 *   delay LINK US                                   ok         one way
 *   loss LINK MILLIONTHS SEED                       ok
 *   rate LINK BITS-PER-SECOND                       ok         each way; 0 is no limit
 *   cut LINK 0|1                                    ok         1 drops everything
 *   counts LINK                                     ok FORWARDED DROPPED (from the first device) FORWARDED DROPPED
 *   forget NS-FD                                    ok         empties the connection tracking of a namespace
 *   forget NS-FD ADDRESS                            ok         the same for flows from and to an IPv4 address outside
 *   kill                                            ok N       ends all processes in the namespaces
 *
 * The namespaces have no names: they live by the descriptors of this process and by the processes in them. At the end of the
 * input, so also when its parent is killed, this program kills those, and ends; the kernel removes the rest.
 *
 * Packets are carried as the devices give them, with the header that says what is still to be done to them: 64 KiB at a time,
 * and without a checksum. Where there is loss or a rate, devices give packets as they would be on a cable.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
    NAMESPACES_MAX = 1024,
    LINKS_MAX = 1024,
    PACKET_BYTES_MAX = 70000,
    PACKETS_IN_A_ROW = 64,
    QUEUE_BYTES_MAX = 64 << 20,
    EVENTS = 64,
    LINE_BYTES = 512,
    KILL_ROUNDS = 200,
};

#define NS_PER_US 1000LL
#define NS_PER_S 1000000000LL
/* What waits for its turn on a slow wire, as in a router; more is dropped. */
#define BACKLOG_NS (100 * 1000 * NS_PER_US)
#define MILLION 1000000u

struct packet {
    struct packet *next;
    int64_t due_ns;
    int length;
    unsigned char bytes[];
};

/* One direction of a link. */
struct way {
    int from;
    int to;
    int64_t busy_until_ns;
    struct packet *first;
    struct packet *last;
    int64_t queued_bytes;
    uint64_t random;
    uint64_t forwarded;
    uint64_t dropped;
};

struct link {
    struct way ways[2];
    int64_t delay_ns;
    int64_t bits_per_second;
    unsigned loss_millionths;
    int cut;
};

static int own_namespace;
static int namespaces[NAMESPACES_MAX];
static int namespace_count;
static struct link links[LINKS_MAX];
static int link_count;
static int poller;
static int timer;
static unsigned char scratch[PACKET_BYTES_MAX];

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static void answer(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

static void fail(const char *what) {
    answer("error %s: %s", what, strerror(errno));
}

/* ---- packets */

/* xorshift64: the same losses for the same seed. */
static unsigned next_random(struct way *way, unsigned bound) {
    way->random ^= way->random << 13;
    way->random ^= way->random >> 7;
    way->random ^= way->random << 17;
    return (unsigned)((way->random >> 11) % bound);
}

static void deliver(struct way *way, const unsigned char *bytes, int length) {
    if (write(way->to, bytes, length) == length) {
        way->forwarded++;
    } else {
        way->dropped++; /* the device is down */
    }
}

static void accept_packet(struct link *link, struct way *way, int length, int64_t now_ns) {
    if (link->cut || way->queued_bytes + length > QUEUE_BYTES_MAX ||
        (link->loss_millionths != 0 && next_random(way, MILLION) < link->loss_millionths)) {
        way->dropped++;
        return;
    }
    int64_t due_ns = now_ns;
    if (link->bits_per_second != 0) {
        if (way->busy_until_ns > now_ns + BACKLOG_NS) {
            way->dropped++;
            return;
        }
        due_ns = way->busy_until_ns > now_ns ? way->busy_until_ns : now_ns;
        due_ns += length * 8 * NS_PER_S / link->bits_per_second;
        way->busy_until_ns = due_ns;
    }
    due_ns += link->delay_ns;
    if (way->first == NULL && due_ns <= now_ns) {
        deliver(way, scratch, length);
        return;
    }
    struct packet *packet = malloc(sizeof *packet + length);
    if (packet == NULL) {
        way->dropped++;
        return;
    }
    packet->next = NULL;
    /* Never before the one ahead of it, also when the delay was made shorter. */
    packet->due_ns = way->last != NULL && way->last->due_ns > due_ns ? way->last->due_ns : due_ns;
    packet->length = length;
    memcpy(packet->bytes, scratch, length);
    if (way->last != NULL) {
        way->last->next = packet;
    } else {
        way->first = packet;
    }
    way->last = packet;
    way->queued_bytes += length;
}

static void read_packets(struct link *link, struct way *way) {
    int64_t now_ns = now();
    for (int i = 0; i < PACKETS_IN_A_ROW; i++) {
        int length = read(way->from, scratch, sizeof scratch);
        if (length <= 0) {
            return;
        }
        accept_packet(link, way, length, now_ns);
    }
}

/* Returns the instant of the next packet, or 0 if there is none. */
static int64_t release_packets(void) {
    int64_t now_ns = now();
    int64_t next_ns = 0;
    for (int i = 0; i < 2 * link_count; i++) {
        struct way *way = &links[i / 2].ways[i % 2];
        while (way->first != NULL && way->first->due_ns <= now_ns) {
            struct packet *packet = way->first;
            way->first = packet->next;
            if (way->first == NULL) {
                way->last = NULL;
            }
            way->queued_bytes -= packet->length;
            if (links[i / 2].cut) {
                way->dropped++;
            } else {
                deliver(way, packet->bytes, packet->length);
            }
            free(packet);
        }
        if (way->first != NULL && (next_ns == 0 || way->first->due_ns < next_ns)) {
            next_ns = way->first->due_ns;
        }
    }
    return next_ns;
}

static void set_timer(int64_t at_ns) {
    static int64_t set_ns;
    if (at_ns == set_ns) {
        return;
    }
    set_ns = at_ns;
    struct itimerspec time = {.it_value = {.tv_sec = at_ns / NS_PER_S, .tv_nsec = at_ns % NS_PER_S}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &time, NULL);
}

/* ---- namespaces and devices */

static void make_namespace(void) {
    if (namespace_count == NAMESPACES_MAX) {
        answer("error more than %d namespaces", NAMESPACES_MAX);
        return;
    }
    if (unshare(CLONE_NEWNET) != 0) {
        fail("unshare");
        return;
    }
    int made = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    setns(own_namespace, CLONE_NEWNET);
    if (made < 0) {
        fail("/proc/self/ns/net");
        return;
    }
    namespaces[namespace_count++] = made;
    answer("ok %d", made);
}

static int open_device(int namespace, const char *name) {
    if (setns(namespace, CLONE_NEWNET) != 0) {
        return -1;
    }
    int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    int error = errno;
    if (device >= 0) {
        struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
        strncpy(request.ifr_name, name, IFNAMSIZ - 1);
        if (ioctl(device, TUNSETIFF, &request) != 0) {
            error = errno;
            close(device);
            device = -1;
        }
    }
    setns(own_namespace, CLONE_NEWNET);
    errno = error;
    return device;
}

/* A whole train of packets at once, unless each of them matters. */
static void set_offload(struct link *link) {
    int single = link->loss_millionths != 0 || link->bits_per_second != 0;
    unsigned offload = single ? 0 : TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
    for (int i = 0; i < 2; i++) {
        ioctl(link->ways[i].from, TUNSETOFFLOAD, offload);
    }
}

static void make_link(int near, const char *near_name, int far, const char *far_name, int64_t delay_us) {
    if (link_count == LINKS_MAX) {
        answer("error more than %d links", LINKS_MAX);
        return;
    }
    int devices[2] = {open_device(near, near_name), -1};
    if (devices[0] < 0) {
        fail(near_name);
        return;
    }
    devices[1] = open_device(far, far_name);
    if (devices[1] < 0) {
        fail(far_name);
        close(devices[0]);
        return;
    }
    struct link *link = &links[link_count];
    memset(link, 0, sizeof *link);
    link->delay_ns = delay_us * NS_PER_US;
    for (int i = 0; i < 2; i++) {
        link->ways[i].from = devices[i];
        link->ways[i].to = devices[1 - i];
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = 2 * link_count + i};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, devices[i], &event) != 0) {
            fail("epoll_ctl");
            close(devices[0]);
            close(devices[1]);
            return;
        }
    }
    set_offload(link);
    answer("ok %d", link_count++);
}

struct attribute {
    struct nlattr header;
    uint32_t value;
};

/* Deletes the flows that fit; what has no filter deletes all. Laid out without padding, as the kernel reads it. */
struct deletion {
    struct nlmsghdr header;
    struct nfgenmsg family;
    struct nlattr tuple;
    struct nlattr addresses;
    struct attribute address;
    struct nlattr filter;
    struct attribute flags;
};

enum {
    FILTER_SOURCE = 1 << 0,
    FILTER_DESTINATION = 1 << 1,
    NESTED = NLA_F_NESTED,
};

static struct nlattr attribute_header(int type, size_t bytes) {
    return (struct nlattr){.nla_len = bytes, .nla_type = type};
}

static int delete_flows(int kernel, size_t bytes, int type, int flag, uint32_t address) {
    struct deletion request = {
        .header = {.nlmsg_len = bytes,
                   .nlmsg_type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
        /* The kernel looks at the family only where the version is not 0. */
        .family = {.nfgen_family = flag == 0 ? AF_UNSPEC : AF_INET, .version = flag == 0 ? 0 : 1},
        .tuple = attribute_header(CTA_TUPLE_ORIG | NESTED, 2 * sizeof(struct nlattr) + sizeof(struct attribute)),
        .addresses = attribute_header(CTA_TUPLE_IP | NESTED, sizeof(struct nlattr) + sizeof(struct attribute)),
        .address = {.header = attribute_header(type, sizeof(struct attribute)), .value = address},
        .filter = attribute_header(CTA_FILTER | NESTED, sizeof(struct nlattr) + sizeof(struct attribute)),
        .flags = {.header = attribute_header(CTA_FILTER_ORIG_FLAGS, sizeof(struct attribute)), .value = flag},
    };
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char rest[256];
    } reply = {0};
    if (send(kernel, &request, bytes, 0) < 0 || recv(kernel, &reply, sizeof reply, 0) < 0) {
        return -1;
    }
    errno = -reply.error.error;
    return errno == 0 ? 0 : -1;
}

/* All flows, or without 0 those that one side began with the address, and those that it began. */
static void forget(int namespace, uint32_t address) {
    size_t all = offsetof(struct deletion, tuple);
    size_t some = sizeof(struct deletion);
    if (setns(namespace, CLONE_NEWNET) != 0) {
        fail("setns");
        return;
    }
    int kernel = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    setns(own_namespace, CLONE_NEWNET);
    int done = -1;
    if (kernel >= 0 && address == 0) {
        done = delete_flows(kernel, all, 0, 0, 0);
    } else if (kernel >= 0) {
        done = delete_flows(kernel, some, CTA_IP_V4_DST, FILTER_DESTINATION, address) |
               delete_flows(kernel, some, CTA_IP_V4_SRC, FILTER_SOURCE, address);
    }
    if (done != 0) {
        fail("emptying the connection tracking");
    } else {
        answer("ok");
    }
    if (kernel >= 0) {
        close(kernel);
    }
}

/* ---- processes in the namespaces */

static int is_inside(const char *pid) {
    char path[64];
    struct stat of_process;
    snprintf(path, sizeof path, "/proc/%.20s/ns/net", pid);
    if (stat(path, &of_process) != 0) {
        return 0;
    }
    for (int i = 0; i < namespace_count; i++) {
        struct stat known;
        if (fstat(namespaces[i], &known) == 0 && known.st_ino == of_process.st_ino && known.st_dev == of_process.st_dev) {
            return 1;
        }
    }
    return 0;
}

static int kill_round(void) {
    int killed = 0;
    DIR *processes = opendir("/proc");
    if (processes == NULL) {
        return 0;
    }
    for (struct dirent *entry = readdir(processes); entry != NULL; entry = readdir(processes)) {
        int pid = atoi(entry->d_name);
        if (pid > 1 && pid != getpid() && is_inside(entry->d_name) && kill(pid, SIGKILL) == 0) {
            killed++;
        }
    }
    closedir(processes);
    return killed;
}

/* A process may start another while we look, and takes a moment to die. */
static int kill_all(void) {
    int killed = kill_round();
    for (int round = 0, left = killed; left > 0 && round < KILL_ROUNDS; round++) {
        usleep(5000);
        left = kill_round();
    }
    return killed;
}

/* Devices of a namespace that ends go all at once, which is far quicker than one after the other as they are closed. */
static void leave_devices(void) {
    for (int i = 0; i < 2 * link_count; i++) {
        ioctl(links[i / 2].ways[i % 2].from, TUNSETPERSIST, 1);
    }
}

/* ---- commands */

static struct link *link_of(int number) {
    return number >= 0 && number < link_count ? &links[number] : NULL;
}

static int is_namespace(int descriptor) {
    for (int i = 0; i < namespace_count; i++) {
        if (namespaces[i] == descriptor) {
            return 1;
        }
    }
    return 0;
}

static void set_on_link(const char *line) {
    int number;
    long long value;
    unsigned long long seed = 0;
    char what[16];
    struct link *link;
    if (sscanf(line, "%15s %d %lld %llu", what, &number, &value, &seed) < 3 || (link = link_of(number)) == NULL) {
        answer("error not understood: %s", line);
        return;
    }
    if (strcmp(what, "delay") == 0) {
        link->delay_ns = value * NS_PER_US;
    } else if (strcmp(what, "loss") == 0) {
        link->loss_millionths = (unsigned)value;
        for (int i = 0; i < 2; i++) {
            link->ways[i].random = (seed * 2 + i) * 0x9E3779B97F4A7C15ULL | 1;
        }
    } else if (strcmp(what, "rate") == 0) {
        link->bits_per_second = value;
    } else if (strcmp(what, "cut") == 0) {
        link->cut = value != 0;
    } else {
        answer("error not understood: %s", line);
        return;
    }
    set_offload(link);
    answer("ok");
}

static void obey(const char *line) {
    struct in_addr address;
    int one;
    int other;
    char one_name[IFNAMSIZ];
    char other_name[IFNAMSIZ];
    long long delay_us;
    struct link *link;
    if (strcmp(line, "namespace") == 0) {
        make_namespace();
    } else if (strcmp(line, "kill") == 0) {
        answer("ok %d", kill_all());
    } else if (sscanf(line, "link %d %15s %d %15s %lld", &one, one_name, &other, other_name, &delay_us) == 5 &&
               is_namespace(one) && is_namespace(other)) {
        make_link(one, one_name, other, other_name, delay_us);
    } else if (sscanf(line, "forget %d %15s", &one, one_name) == 2 && is_namespace(one) &&
               inet_pton(AF_INET, one_name, &address) == 1) {
        forget(one, address.s_addr);
    } else if (sscanf(line, "forget %d", &one) == 1 && is_namespace(one)) {
        forget(one, 0);
    } else if (sscanf(line, "counts %d", &one) == 1 && (link = link_of(one)) != NULL) {
        answer("ok %llu %llu %llu %llu", (unsigned long long)link->ways[0].forwarded,
               (unsigned long long)link->ways[0].dropped, (unsigned long long)link->ways[1].forwarded,
               (unsigned long long)link->ways[1].dropped);
    } else {
        set_on_link(line);
    }
}

/* Returns whether there may be more. */
static int read_commands(void) {
    static char lines[LINE_BYTES];
    static int filled;
    int length = read(STDIN_FILENO, lines + filled, sizeof lines - 1 - filled);
    if (length <= 0) {
        return length < 0 && errno == EINTR;
    }
    filled += length;
    lines[filled] = 0;
    char *from = lines;
    for (char *end = strchr(from, '\n'); end != NULL; end = strchr(from, '\n')) {
        *end = 0;
        obey(from);
        from = end + 1;
    }
    filled -= from - lines;
    memmove(lines, from, filled);
    return filled < LINE_BYTES - 1;
}

int main(void) {
    /* Asked to end with its whole group, it waits for its parent: then it has seen all that is to be ended. */
    int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    for (unsigned i = 0; i < sizeof ignored / sizeof *ignored; i++) {
        signal(ignored[i], SIG_IGN);
    }
    own_namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    poller = epoll_create1(EPOLL_CLOEXEC);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    const uint32_t input = 2 * LINKS_MAX;
    const uint32_t alarm = input + 1;
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = input};
    int failed = own_namespace < 0 || poller < 0 || timer < 0;
    failed = failed || epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0;
    event.data.u32 = alarm;
    failed = failed || epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event) != 0;
    if (failed) {
        fail("start");
        return 1;
    }
    int open_input = 1;
    while (open_input) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            uint32_t source = events[i].data.u32;
            if (source == input) {
                open_input = read_commands();
            } else if (source == alarm) {
                uint64_t expirations;
                (void)!read(timer, &expirations, sizeof expirations);
            } else {
                read_packets(&links[source / 2], &links[source / 2].ways[source % 2]);
            }
        }
        set_timer(release_packets());
    }
    kill_all();
    leave_devices();
    return 0;
}
