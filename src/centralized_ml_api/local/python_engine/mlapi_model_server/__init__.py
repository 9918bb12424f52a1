"""The server in a model's own process: `GET /ping` and `POST /invocations` around an `inference.py`.

    main.py          arguments, logging, start and end
    application.py   HTTP: which path, which answer
    model_threads.py the threads that run the model, the calls that wait, the time limit
    handler.py       `inference.py`: its functions, which of them there are, what they are called with
    bodies.py        bodies in and out where `inference.py` does not say
    context.py       what a function that takes a `context` gets
    answer.py        what a call is answered with
    framing.py       streamed answers: where a piece is whole, how an error is the last one
    refusal.py       errors, in the shape of the API's

It runs in the environment of the model, whatever that holds: it imports the standard library, waitress and
itself, and numpy only for a model that takes or gives arrays.
"""
