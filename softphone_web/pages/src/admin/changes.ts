// One line of the difference that the server tells: "~ queues[agua].priority: 5 → 12". Pure.

export interface Change {
  sign: string;
  section: string;
  entry: string;
  /** Empty where the entry itself is the value: a skill and its title. */
  field: string;
  value: string;
}

/** Null for a line of another form, which is then shown as it is. */
export function changeOf(line: string): Change | null {
  const found = /^([+~-]) ([a-z_]+)(?:\[([^\]]+)\]|\.([^.:\s]+))(?:\.([^:\s]+))?: (.*)$/s.exec(line);
  if (!found) return null;
  const [, sign = "", section = "", listed, mapped, field = "", value = ""] = found;
  return { sign, section, entry: listed ?? mapped ?? "", field, value };
}
