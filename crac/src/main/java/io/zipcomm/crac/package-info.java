/** What connects {@link io.zipcomm.Snapshots} with CRaC's calls. */
package io.zipcomm.crac;
