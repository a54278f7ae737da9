/**
 * Collective algorithms in virtual time: the plans of all ranks of a group, up to thousands, are played against a model
 * of the network. No engine, no transport, no data and no clock; so no claim about the speed of the code.
 */
package io.zipcomm.bench.simulate;
