/**
 * registries.conf(5), version 2: blocked registries, mirrors, short names. Entry: {@link
 * slipway.config.registries.Registries}.
 *
 * <pre>
 *  which files, from the first word that counts
 *    $CONTAINERS_REGISTRIES_CONF           this one alone
 *    user's, /etc, /usr/share              containers/registries.conf, the first that exists
 *    then /etc, user's                     containers/registries.conf.d/….conf, by name
 *
 *  a name as a user writes it ─▶ resolve: aliases, search ─▶ Reference
 *  Reference ─▶ places: the rule with the longest prefix
 *                  blocked    a Problem
 *                  mirrors    in order, each when it serves tags or digests (pull-from-mirror)
 *                  location   the last place
 *            ─▶ one place: RegistryClient; several: MirroredSource, the first that has the manifest
 * </pre>
 *
 * A key that is not understood is an error with file and line: it may be the one that blocks.
 */
@org.jspecify.annotations.NullMarked
package slipway.config.registries;
