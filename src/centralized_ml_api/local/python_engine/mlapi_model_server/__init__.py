"""The server in a model's own process: `/ping`, `/invocations`, some of OpenAI's paths around `inference.py`.

    main.py          arguments, logging, start and end
    application.py   HTTP: which path gets which answer
    model_threads.py the threads that run the model, the queue before them, the time limit
    call_clock.py    how long a call runs without progress, on a machine that may be busy
    memory.py        how much memory requests may take
    freed_memory.py  gives back what they have freed
    handler.py       `inference.py`: its functions, and what they are called with
    openai_api.py    OpenAI's API of speech and images: forms.py, transcripts.py, sounds.py
    bodies.py        reads requests and writes answers where `inference.py` does not
    answer.py        an answer at once or in pieces, and where a streamed piece ends
    refusal.py       errors, in the shape of the API's

It runs in the environment of the model, whatever that contains: it imports the standard library, waitress and
itself, numpy only for a model that takes or gives arrays, soundfile only for other sounds than WAV.
"""
