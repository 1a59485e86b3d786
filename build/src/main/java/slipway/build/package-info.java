/** Containerfile to image: parser, executor, layer cache, base images. */
@org.jspecify.annotations.NullMarked
package slipway.build;
