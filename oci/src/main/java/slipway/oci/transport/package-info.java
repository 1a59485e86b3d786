/**
 * Archives, folders and other tools' stores, named as containers-transports(5) has it. {@link
 * slipway.oci.transport.TransportRef} parses such a name and opens it as source or sink; {@link
 * slipway.oci.transport.SavedImages} opens whatever {@code save} wrote, by what is inside.
 *
 * <pre>
 *  name                             source                sink
 *  docker://HOST/NAME, registry:…   RegistryClient        RegistryClient
 *  oci:DIR[:NAME]                   OciLayout             OciLayout
 *  oci-archive:FILE[:NAME]          OciArchive            OciArchive
 *  docker-archive:FILE[:NAME]       DockerArchiveSource   DockerArchiveSink
 *  dir:DIR                          DirLayout             DirLayout
 *  containers-storage:NAME          PodmanSource          none
 *
 *  oci-archive      a tar of an OCI image layout
 *  docker-archive   manifest.json   a list: Config (a file), RepoTags, Layers (files)
 *                   the files it names; layers are not compressed
 *  dir              version         Directory Transport Version: 1.1
 *                   manifest.json   the image, or an index
 *                   HEX             blobs
 *                   HEX.manifest.json   the images of an index
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.oci.transport;
