/**
 * What is to be measured: operations with their cost bounds, sizes, and the rows that a user's selection makes. No
 * processes and no clocks here.
 */
package io.zipcomm.bench.plan;
