/** What the JDK lacks: system calls by FFM, processes, mounts, loop devices. */
@org.jspecify.annotations.NullMarked
package slipway.linux;
