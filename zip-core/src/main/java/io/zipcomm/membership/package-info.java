/**
 * Who is in a group and how to reach them: joining through a relay, the group view, verdicts on members that are gone.
 * Knows the messages, not the connection that they travel on.
 */
package io.zipcomm.membership;
