/*
 * Looks up libfabric when it is first needed, and not when the shim is loaded.
 *
 * One of the libraries it depends on (that of an old InfiniPath adapter) replaces the handlers of six
 * signals, SIGSEGV among them, as soon as it is loaded; a JVM whose handler of SIGSEGV is gone dies
 * at the next null check. It can be told not to by the environment, so the environment says so
 * while it loads.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim.h"

static struct library loaded;
static _Atomic(bool) is_loaded;

/* Why it could not be loaded the first time; reachable for ever. */
static _Atomic(char *) problem;

/* Reachable for ever: another thread may still read the array when it is no longer the environment. */
static char **quiet_environment;

static char no_infinipath_handlers[] = "IPATH_NO_BACKTRACE=1";

/*
 * Up to here messages over rxm travel whole, and buffers of this length are most of an endpoint's memory: less than half
 * of it with 8 KiB instead of 16.
 */
#define RXM_BUFFER "FI_OFI_RXM_BUFFER_SIZE"
static char small_buffers[] = RXM_BUFFER "=8192";

/*
 * Puts a longer copy in the place of the environment. setenv would not do: it may move an array that
 * other threads are reading, and what it sets stays.
 */
static char **environment_quiet(void) {
    char **old = environ;
    size_t count = 0;
    while (old != NULL && old[count] != NULL) {
        count++;
    }
    char **quiet = malloc((count + 3) * sizeof *quiet);
    if (quiet == NULL) {
        return old;
    }
    if (count > 0) {
        memcpy(quiet, old, count * sizeof *quiet);
    }
    bool is_given = getenv(RXM_BUFFER) != NULL;
    quiet[count] = no_infinipath_handlers;
    quiet[count + 1] = is_given ? NULL : small_buffers;
    quiet[count + 2] = NULL;
    quiet_environment = quiet;
    environ = quiet;
    return old;
}

static void environment_restore(char **old) {
    /* Whoever changed the environment meanwhile has made a copy of his own, which stays. */
    if (environ == quiet_environment) {
        environ = old;
    }
}

/* ISO C has no conversion from an object's address to a function's; POSIX promises that the bytes are the same. */
static bool find(void *handle, const char *name, void *function) {
    void *symbol = dlsym(handle, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static bool find_all(void *handle, struct library *library) {
    return find(handle, "fi_getinfo", &library->getinfo) && find(handle, "fi_freeinfo", &library->freeinfo) &&
           find(handle, "fi_dupinfo", &library->dupinfo) && find(handle, "fi_fabric", &library->fabric) &&
           find(handle, "fi_version", &library->version) && find(handle, "fi_strerror", &library->strerror) &&
           find(handle, "fi_tostr_r", &library->tostr_r);
}

static void remember(const char *words) {
    char *copy = problem == NULL ? strdup(words) : NULL;
    if (copy != NULL) {
        problem = copy;
    }
}

static void remember_version(uint32_t version) {
    char words[96];
    (void)snprintf(words, sizeof words, "libfabric.so.1 is of version %u.%u, older than %u.%u", FI_MAJOR(version),
                   FI_MINOR(version), FI_MAJOR(FABRIC_API), FI_MINOR(FABRIC_API));
    remember(words);
}

/* Providers read the environment when they are first asked for anything. */
static void wake_providers(const struct library *library) {
    struct fi_info *hints = library->dupinfo(NULL);
    struct fi_info *found = NULL;
    if (hints == NULL) {
        return;
    }
    hints->fabric_attr->prov_name = strdup("none");
    if (library->getinfo(FABRIC_API, NULL, NULL, 0, hints, &found) == 0) {
        library->freeinfo(found);
    }
    library->freeinfo(hints);
}

static bool load(void) {
    struct signals saved;
    signals_save(&saved);
    char **environment = environment_quiet();
    /* Never unloaded: its providers have threads and handlers that would outlive it. */
    void *handle = dlopen("libfabric.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const char *words = handle == NULL ? dlerror() : NULL;
    bool is_whole = handle != NULL && find_all(handle, &loaded);
    if (is_whole) {
        wake_providers(&loaded);
    }
    environment_restore(environment);
    signals_restore(&saved);
    if (handle == NULL) {
        remember(words == NULL ? "libfabric.so.1 does not load" : words);
        return false;
    }
    if (!is_whole) {
        remember("libfabric.so.1 lacks functions of its first version");
        return false;
    }
    if (FI_VERSION_LT(loaded.version(), FABRIC_API)) {
        remember_version(loaded.version());
        return false;
    }
    if (pthread_atfork(NULL, NULL, table_forget_all) != 0) {
        remember("there is no memory to prepare for forks");
        return false;
    }
    return true;
}

const char *library_problem(void) {
    return problem;
}

const struct library *library_get(void) {
    if (!atomic_load_explicit(&is_loaded, memory_order_acquire)) {
        if (!load()) {
            return NULL;
        }
        atomic_store_explicit(&is_loaded, true, memory_order_release);
    }
    return &loaded;
}

const struct library *library_peek(void) {
    return atomic_load_explicit(&is_loaded, memory_order_acquire) ? &loaded : NULL;
}

int32_t zf_version(void) {
    return ZF_ABI_VERSION;
}

int32_t zf_library_version(void) {
    table_lock();
    const struct library *library = library_get();
    table_unlock();
    return library == NULL ? ZF_ELIBRARY : (int32_t)library->version();
}
