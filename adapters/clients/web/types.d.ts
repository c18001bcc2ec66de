export type * from "../../../shared/generated/api";
export type { CloseCode, EventMessage, OtherMessage, Events, Messages } from "../../../shared/generated/socket";
export type { Change, Focus, FromViewer, HostStatus, LiveMessage, Position, Viewing } from "../../../shared/generated/live";
