package slipway.ostree.container;

import slipway.ostree.object.Checksum;

/**
 * What an import did.
 *
 * @param mergeCommit the commit with the image's file system
 * @param layersPresent layers that the repository had already
 * @param layersFetched layers that were read from the source
 * @param bytes read from the source
 */
public record Imported(Checksum mergeCommit, int layersPresent, int layersFetched, long bytes) {}
