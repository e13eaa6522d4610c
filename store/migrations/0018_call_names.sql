-- Under which names somebody with a Matrix account may be in a visit's call: those that tokens were given out for. They
-- go with the call.
CREATE TABLE call_names (
    visit  TEXT NOT NULL REFERENCES visits (id) ON DELETE CASCADE,
    member TEXT NOT NULL, -- their Matrix ID
    name   TEXT NOT NULL, -- at the relay
    PRIMARY KEY (visit, member, name)
);
