/** What a process may set, in one catalogue, checked in one place. Nothing else reads the environment. */
package io.zipcomm.settings;
