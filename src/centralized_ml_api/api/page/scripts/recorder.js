// Records the microphone as a WAV file that every speech model reads: 16 kHz, one channel, 16 bits.

const SAMPLE_RATE = 16000;

/** Builds a button that records; `onRecorded(file)` gets the file, or `onFailed(message)` why there is none. */
function recordButton(onRecorded, onFailed) {
  const label = element("span", {}, "Record");
  const button = element("button", { type: "button", "aria-pressed": "false" }, icon("mic"), label);
  let recorder = null;
  const start = async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const chunks = [];
    recorder = new MediaRecorder(stream);
    recorder.ondataavailable = (event) => chunks.push(event.data);
    recorder.onstop = async () => {
      stream.getTracks().forEach((track) => track.stop());
      onRecorded(await encodeWav(new Blob(chunks)));
    };
    recorder.start();
    showState(true);
  };
  const showState = (recording) => {
    label.textContent = recording ? "Stop recording" : "Record";
    button.setAttribute("aria-pressed", String(recording));
  };
  button.addEventListener("click", async () => {
    try {
      if (recorder?.state === "recording") {
        recorder.stop();
        showState(false);
      } else {
        await start();
      }
    } catch {
      onFailed(isSecureContext
        ? "The microphone is not available. Choose a file instead."
        : "Browsers record only over HTTPS or on the machine itself. Choose a file instead.");
    }
  });
  return button;
}

/** Encodes recorded audio, in any format that the browser decodes, as a WAV file. */
async function encodeWav(blob) {
  const context = new OfflineAudioContext(1, 1, SAMPLE_RATE);
  const decoded = await context.decodeAudioData(await blob.arrayBuffer());
  const samples = decoded.getChannelData(0);
  const view = new DataView(new ArrayBuffer(44 + samples.length * 2));
  writeWavHeader(view, samples.length * 2);
  samples.forEach((sample, index) => {
    view.setInt16(44 + index * 2, Math.max(-1, Math.min(1, sample)) * 32767, true);
  });
  return new File([view], "recording.wav", { type: "audio/wav" });
}

/**
 * Writes the 44 bytes before the samples.
 * Source: https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html
 */
function writeWavHeader(view, bytes) {
  const writeText = (offset, text) =>
    [...text].forEach((letter, index) => view.setUint8(offset + index, letter.charCodeAt(0)));
  writeText(0, "RIFF");
  view.setUint32(4, 36 + bytes, true);
  writeText(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, SAMPLE_RATE, true);
  view.setUint32(28, SAMPLE_RATE * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  writeText(36, "data");
  view.setUint32(40, bytes, true);
}
