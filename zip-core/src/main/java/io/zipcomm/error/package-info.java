/** The one exception of the library, and the codes it carries; {@code docs/errors.md} says what to do about each. */
package io.zipcomm.error;
