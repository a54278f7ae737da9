/**
 * The launcher and the harness of real processes.
 */
package io.zipcomm.bench;
