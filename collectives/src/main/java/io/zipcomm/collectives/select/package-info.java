/** From operation, length and number of ranks to an algorithm and the length of segments. */
package io.zipcomm.collectives.select;
