/**
 * What a version of the operating system brings, or takes away, against another one.
 *
 * <pre>
 *  two deployments ─▶ their commits' trees ─┬▶ TreeDiff ──▶ files, units ─┐
 *                                           ├▶ DpkgStatus, RpmDatabase ───┼▶ Changes ─▶ text, JSON
 *                                           │      packages               │
 *  their boot entries ──────────────────────┴▶ kernel arguments ──────────┘
 * </pre>
 *
 * Entry: {@link slipway.host.changes.WhatChanged}.
 */
@org.jspecify.annotations.NullMarked
package slipway.host.changes;
