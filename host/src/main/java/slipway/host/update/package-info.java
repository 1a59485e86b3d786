/**
 * Upgrade, switch, rollback, finalisation. Entry: {@link slipway.host.update.Host}; {@link
 * slipway.host.update.ImagePull} is one image on its way in, {@code ImageStaging} makes it the next
 * boot's, {@code ImageRefs} removes what nothing needs, {@code Rollback} goes back, {@code
 * HeldImages} are those that it turned away from, {@code HostVoice} tells what was done, with
 * {@code DeployedImage}'s words. The phases are drawn at the room's root.
 */
@org.jspecify.annotations.NullMarked
package slipway.host.update;
