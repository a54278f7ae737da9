/**
 * Real processes: starting, watching and ending them, the relay they meet at, the other systems that are
 * measured beside the library, and the measurements that need several of them. The code that runs inside them is in {@code io.zipcomm.bench.worker}.
 */
package io.zipcomm.bench.cluster;
