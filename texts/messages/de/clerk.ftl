# Was der Bot den Sachbearbeitenden in Matrix schreibt, und was im Beratungsraum steht.

bot-name = Vorzimmer

## Die Zeile, die klingelt
knock-line = 🔔 { $ticket } · { $service } · { $language } · Platz { $position } · wartet seit { $since } Uhr
knock-line-interpreter = 🔔 { $ticket } · { $service } · { $language } (Dolmetschen gewünscht) · Platz { $position } · wartet seit { $since } Uhr
knock-line-booked = 🔔 { $ticket } · 📅 Termin um { $at } Uhr · { $service } · { $language } · Platz { $position } · da seit { $since } Uhr
knock-line-booked-interpreter = 🔔 { $ticket } · 📅 Termin um { $at } Uhr · { $service } · { $language } (Dolmetschen gewünscht) · Platz { $position } · da seit { $since } Uhr
knock-without-service = Anliegen ohne Auswahl
knock-called = ✅ { $ticket } · { $service } · aufgerufen von { $clerk } um { $at } Uhr
knock-served = ☑️ { $ticket } · { $service } · beendet um { $at } Uhr
knock-left = 🚪 { $ticket } · { $service } · gegangen um { $at } Uhr
knock-no-show = ⌛ { $ticket } · { $service } · nicht erschienen ({ $at } Uhr)
knock-declined = ⛔ { $ticket } · { $service } · abgelehnt um { $at } Uhr
knock-concern = { $ticket } – Anliegen: { $concern }
knock-reason = { $ticket } · { $service }
language-de = Deutsch
language-en = Englisch

## Beratungsraum
room-name = { $ticket } · { $office }
room-name-prepared = 📅 { $code } · { $office }
room-name-ended = { $ticket } · { $office } (beendet)
room-topic = Beratung zu { $ticket }. Beenden mit !ende. Der Raum wird nach dem Ende gelöscht.
room-welcome = Nummer { $ticket }: { $name }
room-guest-unnamed = ohne Namensangabe
room-concern = Anliegen: { $concern }
room-service = Leistung: { $service }
room-interpreter = Dolmetschen gewünscht: { $interpreter }
room-how-to-end = Beenden Sie das Gespräch mit !ende.
goodbye-served = Das Gespräch ist beendet. Vielen Dank für Ihren Besuch.
goodbye-left = Die Besucherin oder der Besucher hat das Gespräch verlassen.
goodbye-no-show = Der Aufruf wurde beendet, weil niemand gekommen ist.
guest-default-name = Gast { $ticket }

## Türraum
door-name = { $office } – Tür
door-topic-free = { $office } ist frei. Klopfen Sie an: { $url }
door-topic-busy = { $office } ist geöffnet. { $waiting ->
    [0] Niemand wartet.
    [one] 1 Person wartet.
   *[other] { $waiting } Personen warten.
  } Klopfen Sie an: { $url }
door-topic-paused = { $office } macht gerade eine Pause. { $url }
door-topic-closed = { $office } ist geschlossen. { $url }
city-space = Virtuelles Bürgerbüro { $city }
city-space-topic = Alle Büros mit ihrer Tür. Zum Anklopfen: { $url }

## Ablehnung eines Anklopfens aus Matrix
reject-closed = Das Büro ist geschlossen.
reject-paused = Das Büro macht gerade eine Pause.
reject-full = Die Warteschlange ist voll. Bitte versuchen Sie es später noch einmal.
reject-declined = Das Büro kann Ihr Anliegen hier nicht bearbeiten. Bitte sehen Sie auf der Seite des Büros nach.
reject-over = Der Besuch ist beendet.
decline-default = Das Büro kann Ihr Anliegen hier leider nicht bearbeiten.

## Antworten auf Kommandos
answer-on-duty = { $clerk }, Sie sind im Dienst. Mit !weiter rufen Sie die nächste Nummer auf.
answer-already-on-duty = { $clerk }, Sie waren schon im Dienst.
answer-off-duty = { $clerk }, Sie sind nicht mehr im Dienst.
answer-not-on-duty = { $clerk }, Sie waren nicht im Dienst.
answer-called = { $clerk } hat { $ticket } aufgerufen. Der Beratungsraum steht in Ihrer Raumliste.
answer-called-absent = { $clerk } hat { $ticket } aufgerufen. Die Seite der Person ist gerade nicht verbunden; warten Sie einen Moment.
answer-queue-empty = Niemand wartet.
answer-still-busy = { $clerk }, Sie sind noch mit { $ticket } im Gespräch. Beenden Sie es mit !ende, oder rufen Sie gezielt eine Nummer auf: !ruf G-017
answer-already-taken = { $ticket } wurde schon von { $by } aufgerufen.
answer-already-ended = { $ticket } ist schon beendet.
answer-declined = { $ticket } ist abgelehnt.
answer-ended = { $ticket } ist beendet.
answer-nothing-to-end = { $clerk }, Sie haben kein laufendes Gespräch.
answer-paused = Das Büro macht Pause. Wer wartet, bleibt in der Schlange. Weiter geht es mit !fortsetzen.
answer-already-paused = Das Büro macht schon Pause.
answer-resumed = Das Büro nimmt wieder Besuche an.
answer-not-paused = Das Büro macht keine Pause.
answer-no-show = { $ticket } ist nicht gekommen.
answer-visitor-left = { $ticket } ist gegangen.
answer-no-such-visit = Diesen Besuch gibt es nicht (mehr). Die Schlange zeigt !schlange.
answer-unknown-ticket = { $ticket } wartet hier nicht. Die Schlange zeigt !schlange.
queue-heading = { $waiting ->
    [0] Niemand wartet.
    [one] 1 Person wartet:
   *[other] { $waiting } Personen warten:
  }
queue-waiting = { $position }. { $ticket } · { $language } · seit { $since } Uhr
queue-waiting-booked = { $position }. { $ticket } · 📅 Termin · { $language } · da seit { $since } Uhr
queue-called = { $ticket } · aufgerufen um { $since } Uhr
queue-talking = { $ticket } · im Gespräch seit { $since } Uhr
queue-desks = { $desks ->
    [0] Niemand ist im Dienst.
    [one] 1 Platz ist besetzt.
   *[other] { $desks } Plätze sind besetzt.
  }

## Hilfe
help-heading = So arbeiten Sie mit der Tür:
help-duty = !dienst an – Sie nehmen Besuche an. !dienst aus – Sie hören auf.
help-queue = !schlange – wer wartet
help-next = !weiter – die nächste Nummer aufrufen
help-call = !ruf G-017 – diese Nummer aufrufen
help-decline = !ablehnen G-017 Grund – ablehnen; die Person liest den Grund
help-pause = !pause Hinweis – keine neuen Besuche; der Hinweis steht auf der Seite. !fortsetzen – weiter
help-end = !ende – Ihr Gespräch beenden. !ende G-017 – dieses beenden
help-agenda = !termine – die Termine von heute. !termine morgen – die von morgen
help-offer-time = !anbieten K7QM 26.11. 10:30 – diesem Termin eine andere Zeit anbieten. Ohne Zeit: was frei ist
help-cancel-booking = !absagen K7QM Grund – diesen Termin absagen. Die Person liest den Grund in der E-Mail.
help-element = „Genehmigen“ und „Ablehnen“ in Element tun dasselbe wie !ruf und !ablehnen.
misuse-unknown = Dieses Kommando gibt es nicht. !hilfe zeigt alle.
misuse-usage = So geht es: { $usage }
misuse-too-long = Der Text ist zu lang (höchstens 500 Zeichen). So geht es: { $usage }

## Termine. Keine Namen: die stehen nur im Beratungsraum.
booking-new = 📅 Neuer Termin { $code }: { $when } · { $service }
booking-moved = 📅 Termin { $code } verschoben auf { $when } · { $service }
booking-cancelled = 📅 Termin { $code } abgesagt: { $when } · { $service }
booking-soon = ⏰ Gleich: Termin { $code } am { $when } · { $service }
booking-no-show = ⌛ Termin { $code } ({ $when }) · { $service } · nicht erschienen
booking-undeliverable = ✉️ Eine E-Mail zum Termin { $code } ({ $when } · { $service }) konnte nicht zugestellt werden. Bitte rufen Sie die Person an. Die Nummer steht in der nächsten Nachricht.
booking-undeliverable-no-phone = ✉️ Eine E-Mail zum Termin { $code } ({ $when } · { $service }) konnte nicht zugestellt werden. Eine Telefonnummer ist nicht angegeben. Sprechen Sie die Person beim Termin darauf an.
booking-undeliverable-companion = ✉️ Die E-Mail an die Begleitung beim Termin { $code } ({ $when } · { $service }) konnte nicht zugestellt werden. Die Person mit dem Termin weiß das nicht: Vielleicht kommt sie allein.
booking-phone = ☎️ Termin { $code }: { $phone } (diese Nachricht wird nach dem Termin gelöscht)
booking-declined = 📅 Die Person hat den Termin { $code } in ihrem Kalender abgelehnt: { $when } · { $service }. Er gilt weiter, bis Sie ihn absagen: !absagen { $code }
booking-turned-down = 📅 Termin { $code }: Die angebotene Zeit passt der Person nicht. Es bleibt bei { $when } · { $service }
booking-closed = ⚠️ Termin { $code } ({ $when } · { $service }): Zu dieser Zeit ist jetzt geschlossen. Bieten Sie mit !anbieten { $code } eine andere Zeit an, oder sagen Sie mit !absagen { $code } ab.
booking-overbooked = ⚠️ Termin { $code } ({ $when } · { $service }): Zu dieser Zeit gibt es jetzt mehr Termine als Plätze. Bieten Sie mit !anbieten { $code } eine andere Zeit an, oder sagen Sie mit !absagen { $code } ab.
booking-no-more = ⚠️ Termin { $code } ({ $when } · { $service }): Dieses Büro vergibt keine Termine mehr. Der Termin gilt weiter, bis Sie ihn absagen: !absagen { $code }
booking-needs-interpreter = Dolmetschen gewünscht
booking-needs-support = Unterstützung gewünscht
booking-concern = Termin { $code }.
booking-concern-also = Auch gebucht: { $services }.
agenda-heading = 📅 Termine am { $day }:
agenda-empty = 📅 Keine Termine am { $day }.
agenda-line = { $time }–{ $end } · { $code } · { $service } · { $language }
agenda-line-arrived = { $time }–{ $end } · { $code } · { $service } · { $language } · ist da
agenda-line-declined = { $time }–{ $end } · { $code } · { $service } · { $language } · im Kalender abgelehnt
answer-offered = Termin { $code }: { $when } ist angeboten und bis { $until } reserviert. Die Person bekommt eine E-Mail.
answer-offer-times = Termin { $code }: Diese Zeiten sind frei. Bieten Sie eine an, zum Beispiel mit !anbieten { $code } 26.11. 10:30.
    { $times }
answer-offer-taken = Diese Zeit ist für den Termin { $code } nicht frei. Frei sind:
    { $times }
answer-offer-overlaps = Diese Zeit überschneidet sich mit dem Termin { $code } selbst. Frei sind:
    { $times }
answer-offer-too-soon = Diese Zeit ist zu nah: Die Person mit dem Termin { $code } muss noch antworten können. Frei sind:
    { $times }
answer-offer-no-more = Dieses Büro vergibt keine Termine mehr. Der Termin { $code } gilt weiter, bis Sie ihn absagen: !absagen { $code }
answer-no-such-booking = Einen gebuchten Termin { $code } gibt es hier nicht (mehr). Die Termine zeigt !termine.
answer-booking-cancelled = Der Termin { $code } ist abgesagt. Die Person bekommt eine E-Mail.
answer-booking-cancelled-unsaid = Der Termin { $code } ist abgesagt. Eine E-Mail kann die Person nicht bekommen: Bitte sagen Sie es ihr.

## Der Kalender der Termine, den Sachbearbeitende abonnieren
feed-name = Termine: { $office }
feed-language = Sprache: { $language }
feed-interpreter = Dolmetschen: { $interpreter }
feed-arrived = Ist da.
feed-declined = Im Kalender abgelehnt.

# Wie jemand heißt, der zu einem Gespräch dazukommt.
participant-interpreter = Dolmetschende Person
participant-companion = Begleitung
