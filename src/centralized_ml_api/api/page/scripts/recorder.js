// The microphone as a WAV file, which every speech model reads: 16 kHz, one channel, 16 bits.

const SAMPLE_RATE = 16000;

/** A button that records; `recorded(file)` gets the file. */
function recordButton(recorded, failed) {
  const button = element("button", { type: "button", "aria-pressed": "false" }, "Record");
  let recorder = null;
  const start = async () => {
    const sound = await navigator.mediaDevices.getUserMedia({ audio: true });
    const pieces = [];
    recorder = new MediaRecorder(sound);
    recorder.ondataavailable = (event) => pieces.push(event.data);
    recorder.onstop = async () => {
      sound.getTracks().forEach((track) => track.stop());
      recorded(await wav(new Blob(pieces)));
    };
    recorder.start();
    show(true);
  };
  const show = (recording) => {
    button.textContent = recording ? "Stop recording" : "Record";
    button.setAttribute("aria-pressed", String(recording));
  };
  button.addEventListener("click", async () => {
    try {
      if (recorder?.state === "recording") {
        recorder.stop();
        show(false);
      } else {
        await start();
      }
    } catch {
      failed("The microphone is not available. Choose a file instead.");
    }
  });
  return button;
}

async function wav(blob) {
  const context = new OfflineAudioContext(1, 1, SAMPLE_RATE);
  const decoded = await context.decodeAudioData(await blob.arrayBuffer());
  const samples = decoded.getChannelData(0);
  const view = new DataView(new ArrayBuffer(44 + samples.length * 2));
  wavHeader(view, samples.length * 2);
  samples.forEach((sample, index) => {
    view.setInt16(44 + index * 2, Math.max(-1, Math.min(1, sample)) * 32767, true);
  });
  return new File([view], "recording.wav", { type: "audio/wav" });
}

/** Source: https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html */
function wavHeader(view, bytes) {
  const word = (at, text) => [...text].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  word(0, "RIFF");
  view.setUint32(4, 36 + bytes, true);
  word(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, SAMPLE_RATE, true);
  view.setUint32(28, SAMPLE_RATE * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  word(36, "data");
  view.setUint32(40, bytes, true);
}
