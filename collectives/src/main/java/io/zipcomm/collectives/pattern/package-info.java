/** Who talks to whom: rank arithmetic, and nothing else. */
package io.zipcomm.collectives.pattern;
