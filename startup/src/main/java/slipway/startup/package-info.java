/**
 * Training of the start-up caches. The JVM notes which classes a run loads; these runs do what
 * commands do, on what is made up in a folder, where nothing can be mounted and nothing is fetched.
 *
 * <pre>
 *  internals aot-training quick|run
 *     quick   verbs that tell something, on an empty store
 *             Training.status      a made-up machine: links and files of a sysroot
 *     run     the same, and
 *             BuildTraining        a store and a cache that has every step; then build runs
 *             Training.upgrade     TrainingUpgrade installs, upgrades and rolls back a machine
 *                                  from TrainingRegistry on the loopback
 *
 *  tools/Assemble.java trains the product's caches, distro.BaseAgent those of an image's agent
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.startup;
