/** Commands about disks and the machines that run them. */
@org.jspecify.annotations.NullMarked
package slipway.cli.disk;
