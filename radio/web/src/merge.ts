/**
 * JSON merge patch (RFC 7396, section 2): null removes a member, an object is merged, anything else
 * replaces. Neither argument is changed; what the patch leaves alone is shared with the target.
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  // fromEntries defines own properties, so a member named "__proto__" stays data.
  return Object.fromEntries(merged);
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
