/**
 * What the other modules are tested with.
 */
package io.zipcomm.testkit;
