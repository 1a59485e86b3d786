/**
 * Disks in clouds. Entry: {@link slipway.cloud.AmiUpload}.
 *
 * <pre>
 *  AmiRequest ─▶ AmiUpload.check    region, bucket and name, before a disk is built
 *                AmiUpload.upload   disk ─▶ S3 object ─▶ EBS snapshot ─▶ AMI
 *                  S3Parts          an object, sent in parts
 *                AwsFaults          what the SDK throws, in a sentence
 * </pre>
 *
 * <p>What was made is taken away when a later step fails or the process is told to end.
 */
@org.jspecify.annotations.NullMarked
package slipway.cloud;
