package slipway.netboot;

import java.time.Duration;

/**
 * Something that was served or refused.
 *
 * @param protocol http, tftp or dhcp
 * @param client its address
 * @param file that it asked for, printable
 * @param result in words, or the status of HTTP
 * @param bytes that were sent of the file
 */
public record NetbootEvent(
    String protocol, String client, String file, String result, long bytes, Duration took) {}
