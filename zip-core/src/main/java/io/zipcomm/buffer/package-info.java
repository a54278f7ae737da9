/**
 * Memory: views of what belongs to the caller, and pieces of the library's own. Moves and converts bytes, and knows
 * neither frames nor ranks.
 */
package io.zipcomm.buffer;
