/**
 * RUN: a command in a container over the layers so far. Entry: {@code RunStep}.
 *
 * <pre>
 * RunStep ─┬─ RunMounts      secrets, agents, caches, trees; hosts and resolv.conf
 *          ├─ StageNetwork   one private network for all RUNs of a stage
 *          └─▶ ContainerRuntime ─▶ the step's layer
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.builder.run;
