/**
 * Containers for RUN: what one is ({@code ContainerSpec}), its mounts, network, limits and seccomp
 * profile, and runc beneath.
 */
@org.jspecify.annotations.NullMarked
package slipway.container;
