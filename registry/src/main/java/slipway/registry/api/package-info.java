/** The endpoints of OCI distribution 1.1. */
@org.jspecify.annotations.NullMarked
package slipway.registry.api;
