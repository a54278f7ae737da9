/*
 * libfabric's providers replace signal handlers: shm those of SIGBUS, SIGSEGV, SIGTERM and SIGINT
 * when the first endpoint opens, to unlink its memory if the process dies. A JVM lives on SIGSEGV, and
 * theirs does not hand the fault on but raises a new signal without its address. So every call
 * that may let a provider do this is wrapped in a save and a restore.
 */
#include "shim.h"

void signals_save(struct signals *out) {
    for (int number = 1; number < SIGNALS_KEPT; number++) {
        out->known[number] = sigaction(number, NULL, &out->actions[number]) == 0;
    }
}

/* Handler and function share their place in the structure, whichever the flags select. */
static bool same_handler(const struct sigaction *left, const struct sigaction *right) {
    return left->sa_handler == right->sa_handler;
}

void signals_restore(const struct signals *saved) {
    for (int number = 1; number < SIGNALS_KEPT; number++) {
        struct sigaction now;
        if (!saved->known[number] || number == SIGKILL || number == SIGSTOP || sigaction(number, NULL, &now) != 0) {
            continue;
        }
        if (!same_handler(&now, &saved->actions[number])) {
            (void)sigaction(number, &saved->actions[number], NULL);
        }
    }
}
