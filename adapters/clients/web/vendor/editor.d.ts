// The types of what the live page uses of CodeMirror; its own documentation says what each does.

export type Extension = { readonly extension: Extension } | readonly Extension[];

export class Text {
  readonly length: number;
  readonly lines: number;
  static of(lines: readonly string[]): Text;
  line(number: number): { from: number; to: number; number: number; text: string };
  lineAt(position: number): { from: number; to: number; number: number; text: string };
  toString(): string;
}

export type Change = { from: number; to?: number; insert?: string | Text };

export class ChangeSet {
  readonly length: number;
  readonly newLength: number;
  readonly empty: boolean;
  static empty(length: number): ChangeSet;
  static of(changes: Change, length: number, separator?: string): ChangeSet;
  apply(text: Text): Text;
  compose(other: ChangeSet): ChangeSet;
}

export class Annotation<T> {
  static define<T>(): { of(value: T): Annotation<T> } & AnnotationType<T>;
}
export interface AnnotationType<T> {
  readonly value?: T;
}

export class StateEffect<T> {
  readonly value: T;
  static define<T>(): StateEffectType<T>;
  is<U>(type: StateEffectType<U>): this is StateEffect<U>;
}
export interface StateEffectType<T> {
  of(value: T): StateEffect<T>;
}

export interface Transaction {
  readonly changes: ChangeSet;
  readonly docChanged: boolean;
  readonly effects: readonly StateEffect<unknown>[];
  annotation<T>(type: AnnotationType<T>): T | undefined;
}

export class StateField<T> {
  readonly extension: Extension;
  static define<T>(config: {
    create(state: EditorState): T;
    update(value: T, transaction: Transaction): T;
    provide?(field: StateField<T>): Extension;
  }): StateField<T>;
}

export class Compartment {
  of(extension: Extension): Extension;
  reconfigure(extension: Extension): StateEffect<unknown>;
}

interface Facet<T> {
  of(value: T): Extension;
}

export class EditorState {
  readonly doc: Text;
  static create(config: { doc: Text; extensions: Extension }): EditorState;
  static readonly readOnly: Facet<boolean>;
  static readonly tabSize: Facet<number>;
  static readonly changeFilter: Facet<(transaction: Transaction) => boolean>;
}

export interface DecorationSet {
  readonly size: number;
  map(changes: ChangeSet): DecorationSet;
}
export interface DecorationRange {
  readonly from: number;
}
export interface DecorationType {
  range(from: number, to?: number): DecorationRange;
}
export class WidgetType {
  toDOM(): HTMLElement;
  eq(other: WidgetType): boolean;
  get estimatedHeight(): number;
  ignoreEvent(): boolean;
}
export class Decoration {
  static readonly none: DecorationSet;
  static mark(spec: { class: string }): DecorationType;
  static line(spec: { class: string }): DecorationType;
  static widget(spec: { widget: WidgetType; side?: number }): DecorationType;
  static set(ranges: readonly DecorationRange[], sort?: boolean): DecorationSet;
}

export class EditorView {
  readonly state: EditorState;
  readonly dom: HTMLElement;
  readonly scrollDOM: HTMLElement;
  readonly contentDOM: HTMLElement;
  readonly defaultLineHeight: number;
  constructor(config: { state?: EditorState; parent?: Element | DocumentFragment; root?: Document | ShadowRoot });
  setState(state: EditorState): void;
  dispatch(spec: { changes?: ChangeSet | Change; effects?: StateEffect<unknown> | StateEffect<unknown>[]; annotations?: unknown }): void;
  lineBlockAt(position: number): { top: number; bottom: number };
  focus(): void;
  destroy(): void;
  static readonly editable: Facet<boolean>;
  static readonly contentAttributes: Facet<Record<string, string>>;
  static readonly lineWrapping: Extension;
  static readonly decorations: { from<T>(field: StateField<T>, get?: (value: T) => DecorationSet): Extension };
  static theme(spec: Record<string, Record<string, unknown>>): Extension;
  static scrollIntoView(position: number, options?: { y?: "nearest" | "start" | "end" | "center"; yMargin?: number }): StateEffect<unknown>;
}

export interface KeyBinding {
  key?: string;
}
export const standardKeymap: readonly KeyBinding[];
export const searchKeymap: readonly KeyBinding[];
export const keymap: Facet<readonly KeyBinding[]>;
export function lineNumbers(): Extension;
export function highlightSpecialChars(): Extension;
export function search(config?: { top?: boolean }): Extension;
export function openSearchPanel(view: EditorView): boolean;

export interface Tag {
  readonly id: number;
}
export const tags: Record<string, Tag> & Record<"function" | "definition" | "standard" | "special" | "local", (tag: Tag) => Tag>;
export class HighlightStyle {
  static define(specs: readonly { tag: Tag | readonly Tag[]; [property: string]: unknown }[]): HighlightStyle;
}
export function syntaxHighlighting(style: HighlightStyle): Extension;

export const LANGUAGES: Record<string, () => Promise<Extension>>;
