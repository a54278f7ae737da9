/** Groups of real processes behind the gateways of a {@link io.zipcomm.testkit.lab.NetworkLab}. */
package io.zipcomm.bench.lab;
