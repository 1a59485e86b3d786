package slipway.ostree.container;

import slipway.oci.model.Descriptor;
import slipway.oci.model.Digest;

/**
 * A layer of the image that is imported.
 *
 * @param objects whether it holds objects of a commit
 * @param onCommit whether some layers of the image do
 */
record WantedLayer(Descriptor blob, Digest diffId, boolean objects, boolean onCommit) {}
