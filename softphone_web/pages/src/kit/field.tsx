import type { ComponentChildren, InputHTMLAttributes, TextareaHTMLAttributes } from "preact";
import { useId } from "preact/hooks";
import { t } from "./texts";

interface Common {
  label: string;
  hint?: ComponentChildren;
  error?: string | null;
  optional?: boolean;
  /** The label is read out but not seen. */
  quiet?: boolean;
}

interface FrameProps extends Common {
  children: (ids: { id: string; "aria-describedby": string | undefined; "aria-invalid": true | undefined }) => ComponentChildren;
}

function Frame({ label, hint, error, optional, quiet, children }: FrameProps) {
  const id = useId();
  const notes = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id} class={quiet ? "visually-hidden" : undefined}>
        {label}
        {optional && <span class="muted"> ({t("optional")})</span>}
      </label>
      {children({ id, "aria-describedby": notes || undefined, "aria-invalid": error ? true : undefined })}
      {hint && <p class="field-hint" id={`${id}-hint`}>{hint}</p>}
      {error && <p class="field-error" id={`${id}-error`} role="alert">{error}</p>}
    </div>
  );
}

export interface FieldProps extends Common {
  value: string;
  onInput: (value: string) => void;
  type?: "text" | "password" | "search" | "tel" | "number" | "date" | "email";
  attributes?: InputHTMLAttributes;
}

export function Field({ value, onInput, type = "text", attributes, ...common }: FieldProps) {
  return (
    <Frame {...common}>
      {(ids) => <input class="input" type={type} value={value} onInput={(event) => onInput(event.currentTarget.value)} {...ids} {...attributes} />}
    </Frame>
  );
}

export interface AreaProps extends Common {
  value: string;
  onInput: (value: string) => void;
  rows?: number;
  attributes?: TextareaHTMLAttributes;
}

export function Area({ value, onInput, rows = 3, attributes, ...common }: AreaProps) {
  return (
    <Frame {...common}>
      {(ids) => <textarea class="input" rows={rows} value={value} onInput={(event) => onInput(event.currentTarget.value)} {...ids} {...attributes} />}
    </Frame>
  );
}

export interface Option {
  value: string;
  title: string;
  disabled?: boolean;
}

export interface SelectProps extends Common {
  value: string;
  options: readonly Option[];
  onChange: (value: string) => void;
  /** Shown, and chosen, while there is no value. */
  placeholder?: string;
  disabled?: boolean;
}

export function Select({ value, options, onChange, placeholder, disabled, ...common }: SelectProps) {
  return (
    <Frame {...common}>
      {(ids) => (
        <select class="input" value={value} disabled={disabled} onChange={(event) => onChange(event.currentTarget.value)} {...ids}>
          {placeholder !== undefined && <option value="">{placeholder}</option>}
          {options.map((one) => (
            <option key={one.value} value={one.value} disabled={one.disabled}>{one.title}</option>
          ))}
        </select>
      )}
    </Frame>
  );
}

export interface CheckProps {
  label: string;
  hint?: ComponentChildren;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}

export function Check({ label, hint, checked, disabled, onChange }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} disabled={disabled} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{label}{hint && <span class="field-hint">{hint}</span>}</span>
    </label>
  );
}

/** One of a few, all visible: `<Choice label="Apariencia" value=… options=… />` */
export function Choice({ label, value, options, onChange }: { label: string; value: string; options: readonly Option[]; onChange: (value: string) => void }) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      <div class="choice-row">
        {options.map((one) => (
          <label key={one.value} class="choice-one">
            <input type="radio" name={name} value={one.value} checked={one.value === value} onChange={() => onChange(one.value)} />
            <span>{one.title}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
