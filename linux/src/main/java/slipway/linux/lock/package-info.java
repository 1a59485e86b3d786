/** flock(2), and folders that are known as abandoned because nobody holds their lock. */
@org.jspecify.annotations.NullMarked
package slipway.linux.lock;
