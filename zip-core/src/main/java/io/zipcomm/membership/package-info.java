/** Who is in a group and how to reach them, as every rank sees it alike. */
package io.zipcomm.membership;
