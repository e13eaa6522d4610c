// Who and what is seen: what somebody shows the largest, the clerk large, the guest's own picture small.

import type * as LiveKit from "livekit-client";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Texts } from "../lib/texts";
import { Button, Icon } from "../visit/parts";
import type { Call, CallState } from "./call";
import type { Shown, Tile } from "./stage";

type Track = LiveKit.RemoteVideoTrack;

export function StageView({ t, call, state }: { t: Texts; call: Call; state: CallState }) {
  const { shown, others } = state.stage;
  return (
    <div class={`vz-stage${shown ? " vz-stage--shown" : ""}`}>
      {shown && <ShownView key={shown.identity} t={t} shown={shown} />}
      <ul class="vz-tiles" aria-label={t("call-people")}>
        {others.map((tile) => (
          <TileView key={tile.identity} t={t} tile={tile} />
        ))}
        {others.length === 0 && (
          <li class="vz-tile vz-tile--nobody" aria-hidden="true">
            <Icon name="clock" size="large" />
          </li>
        )}
        <OwnTile t={t} call={call} />
      </ul>
    </div>
  );
}

function TileView({ t, tile }: { t: Texts; tile: Tile<Track> }) {
  const classes = ["vz-tile", `vz-tile--${tile.role}`, tile.speaking && "vz-tile--speaking"];
  return (
    <li class={classes.filter(Boolean).join(" ")}>
      {tile.picture ? <Picture track={tile.picture} /> : <Initials name={tile.name} />}
      <p class="vz-tile__label">
        <span class="vz-tile__name">
          {tile.here ? tile.name : t("call-person-expected", { name: tile.name })}
        </span>
        {tile.here && !tile.picture && <Sign icon="camera-off" text={t("call-camera-off")} />}
        {tile.here && !tile.microphone && <Sign icon="mic-off" text={t("call-sound-off")} />}
        {tile.speaking && <Sign icon="sound" text={t("call-speaking")} />}
      </p>
    </li>
  );
}

function OwnTile({ t, call }: { t: Texts; call: Call }) {
  const { own } = call;
  return (
    <li class="vz-tile vz-tile--own">
      {own.cameraOn && own.camera ? (
        <Picture track={own.camera} mirrored />
      ) : (
        <Initials name={t("call-you")} />
      )}
      <p class="vz-tile__label">
        <span class="vz-tile__name">{t("call-you")}</span>
        {!own.cameraOn && <Sign icon="camera-off" text={t("call-camera-off")} />}
        {!own.microphoneOn && <Sign icon="mic-off" text={t("call-sound-off")} />}
      </p>
    </li>
  );
}

/** A sign with its word for those who do not see it. */
function Sign({ icon, text }: { icon: string; text: string }) {
  return (
    <span class="vz-tile__sign" title={text}>
      <Icon name={icon} size="small" />
      <span class="kern-sr-only">{text}</span>
    </span>
  );
}

/** Stands where there is no picture. The name is read from the label. */
function Initials({ name }: { name: string }) {
  const letters = name
    .split(/\s+/)
    .map((word) => [...word][0] ?? "")
    .slice(0, 2)
    .join("");
  return (
    <span class="vz-tile__initials" aria-hidden="true">
      {letters}
    </span>
  );
}

interface PictureProps {
  track: LiveKit.LocalVideoTrack | LiveKit.RemoteVideoTrack;
  mirrored?: boolean;
}

/** The track chooses its resolution by the size of this element. */
function Picture({ track, mirrored }: PictureProps) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    track.attach(element);
    return () => void track.detach(element);
  }, [track]);
  // Sound comes from elements of its own.
  return (
    <video
      ref={video}
      class={mirrored ? "vz-mirrored" : undefined}
      autoPlay
      muted
      playsInline
      aria-hidden="true"
    />
  );
}

const ZOOMS = [100, 150, 200, 300, 400] as const;

/** A screen or document of somebody else, to be looked at closely. */
function ShownView({ t, shown }: { t: Texts; shown: Shown<Track> }) {
  const [zoom, setZoom] = useState(0);
  const frame = useRef<HTMLElement>(null);
  const percent = ZOOMS[zoom] ?? 100;
  return (
    <figure class="vz-shown" ref={frame}>
      <div
        class="vz-shown__view"
        role="group"
        aria-label={t("shown-by", { name: shown.name })}
        // Keys must be able to scroll it.
        tabIndex={0}
      >
        <div class="vz-shown__sheet" style={{ width: `${percent}%` }}>
          <Picture track={shown.picture} />
        </div>
      </div>
      <figcaption class="vz-shown__bar">
        <span class="kern-body">{t("shown-by", { name: shown.name })}</span>
        <span class="vz-shown__tools">
          <Button
            kind="tertiary"
            icon="zoom-out"
            label={t("shown-zoom-out")}
            busy={zoom === 0}
            onClick={() => setZoom(zoom - 1)}
          />
          <span class="kern-body vz-shown__percent" role="status">
            {t("shown-zoom", { percent })}
          </span>
          <Button
            kind="tertiary"
            icon="zoom-in"
            label={t("shown-zoom-in")}
            busy={zoom === ZOOMS.length - 1}
            onClick={() => setZoom(zoom + 1)}
          />
          {document.fullscreenEnabled && (
            <Button
              kind="tertiary"
              icon="fullscreen"
              label={t("shown-fullscreen")}
              onClick={() =>
                void (
                  document.fullscreenElement ? document.exitFullscreen() : frame.current?.requestFullscreen()
                )?.catch(() => undefined)
              }
            />
          )}
        </span>
      </figcaption>
    </figure>
  );
}
