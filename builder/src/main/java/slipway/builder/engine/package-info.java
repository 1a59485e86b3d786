/**
 * Carries a Containerfile out: which stages run, and what each instruction does to the image.
 * Entry: {@code Builder}.
 *
 * <pre>
 * Builder ── StageRunner ─┬─ a thread each: StageBuild ─┬─ StageVariables    ARG, ENV
 *    │                    │                             ├─ ImageDraft        the configuration
 *    │                    │                             └─ StageSteps ─┬─ from the cache
 *    │                    └─ the next stage …                          └─ CopyStep, RunStep
 *    └─ the last stage's layers and configuration into the store
 * </pre>
 *
 * <p>What a base image may not choose is refused by {@code Triggers} (its ONBUILD) and {@code
 * OwnSources} (its variables).
 */
@org.jspecify.annotations.NullMarked
package slipway.builder.engine;
