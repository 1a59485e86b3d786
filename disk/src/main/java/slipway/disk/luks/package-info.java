/**
 * Encrypted partitions without root and without device mapper: {@link slipway.disk.luks.LuksVolume}
 * encrypts what was written into a part of a disk. The header is cryptsetup's.
 *
 * <pre>
 *  a LUKS2 volume
 *    0        header of cryptsetup(8): two copies of 16 KiB, then key slots
 *    16 MiB   payload, sectors of 4096 bytes, each encrypted for itself by AES-256-XTS; its number,
 *             counted in units of 512 bytes from here, is the tweak (dm-crypt's aes-xts-plain64)
 * </pre>
 *
 * A hole of the disk may stay one. It decrypts to noise then, so what lies in the payload must not
 * count on zeros that nobody wrote. Which blocks were ever written can be seen from outside, as
 * where discards are let through.
 *
 * @see <a href="https://gitlab.com/cryptsetup/LUKS2-docs">LUKS2 On-Disk Format Specification</a>
 */
@org.jspecify.annotations.NullMarked
package slipway.disk.luks;
