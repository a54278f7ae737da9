/**
 * What algorithms are written in and how it runs: shapes, extents, the builder that finds out which steps may overlap,
 * plans, and their execution. Knows no algorithm and no transport.
 */
package io.zipcomm.collectives.plan;
