/**
 * Containers for RUN: what one is, its mounts, network and limits, and runc or crun beneath. Entry:
 * {@link slipway.container.ContainerRuntime}, which runs a {@link slipway.container.ContainerSpec}.
 *
 * <pre>
 *  upper, where the command's changes go ──┐
 *  StubLayer: mount points that are missing├▶ OverlayMount ─▶ root of the container
 *  layers of the image, the lowest last ───┘
 *
 *  ContainerSpec ─▶ BUNDLE/config.json (OCI runtime specification) ─▶ runc run, in a process
 *    arguments, environment, directory, user                         namespace that dies with the
 *    mounts         the usual ones, then ContainerMount              thread that waits for it
 *    capabilities   podman's default set, or all
 *    SeccompProfile podman's system calls
 *    RunLimits      memory, processors, processes, for all of one RUN together
 *    network        Host; None; Joined: a namespace that UserNetwork made, which slirp4netns or
 *                   pasta connects (RunNetwork: what the user asked for)
 *
 *  STATE/…          what runc knows of containers that run; deleteAll ends those of a dead builder
 * </pre>
 *
 * {@link slipway.container.NestedMounts} orders mounts of which one lies within another.
 */
@org.jspecify.annotations.NullMarked
package slipway.container;
