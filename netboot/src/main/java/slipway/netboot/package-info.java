/**
 * Serves a folder to machines that start from the network. Entry: {@link
 * slipway.netboot.NetbootServer}.
 *
 * <pre>
 *  DHCP 67, 4011   DhcpPacket ─▶ ProxyDhcp      which file comes first (RFC 4578, PXE 2.1): of a
 *                                               machine with BIOS, with UEFI, or of iPXE; another
 *                                               server gives the addresses
 *  TFTP 69         TftpPacket ─▶ TftpServer     a TftpSession for each transfer (RFC 1350, 2347-2349,
 *                                               7440), from a port of its own
 *  HTTP            http.HttpServer              parts of files too
 *                         │
 *                  ServedFolder                 regular files beneath it; no link leads out
 * </pre>
 *
 * Whoever can send packets here is a stranger. What they may take up is bounded: requests that are
 * served at once, packets that are sent without an answer, and the time of a transfer.
 */
@org.jspecify.annotations.NullMarked
package slipway.netboot;
