# Was Bürgerinnen und Bürger beim Anklopfen, Warten und Sprechen lesen. Der Server und die Besucherseite
# benutzen dieselbe Datei.

## Anklopfen

form-intro = Sagen Sie uns kurz, worum es geht. Nur die Mitarbeitenden dieses Büros lesen das.
form-optional = freiwillig
form-concern = Worum geht es?
form-concern-hint = Zum Beispiel: „Ich möchte ein Gewerbe anmelden.“
form-remaining = { $count ->
    [one] Noch ein Zeichen möglich
   *[other] Noch { $count } Zeichen möglich
}
form-service = Anliegen
form-service-none = Weiß ich nicht oder etwas anderes
form-name = Wie dürfen wir Sie ansprechen?
form-name-hint = Sie müssen Ihren Namen nicht nennen.
form-language = In welcher Sprache möchten Sie sprechen?
form-language-de = Deutsch
form-language-en = English
form-interpreter = Ich brauche eine Dolmetscherin oder einen Dolmetscher
form-interpreter-language = Für welche Sprache?
form-privacy = Ich habe den Hinweis zum Datenschutz gelesen.
form-privacy-hint = Was Sie schreiben, wird nach dem Besuch gelöscht.
form-privacy-link = Hinweis zum Datenschutz
form-submit = Jetzt anklopfen
form-sending = Wird gesendet …

form-error-heading = Bitte prüfen Sie Ihre Angaben
form-error-concern = Sagen Sie uns bitte, worum es geht.
form-error-concern-long = Das ist zu lang: höchstens 1000 Zeichen.
form-error-interpreter = Nennen Sie bitte die Sprache für das Dolmetschen.
form-error-privacy = Bitte bestätigen Sie, dass Sie den Hinweis zum Datenschutz gelesen haben.
form-failed-heading = Das hat nicht geklappt
form-already-here = Sie warten schon bei diesem Büro.
form-already-here-link = Zu Ihrer Nummer
form-too-often = Das waren zu viele Versuche. Bitte warten Sie { $seconds ->
    [one] eine Sekunde
   *[other] { $seconds } Sekunden
} und versuchen Sie es noch einmal.
form-network = Wir erreichen den Server nicht. Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal. Ihre Angaben bleiben hier stehen.

## Besuch: Rahmen

visit-ticket = Ihre Nummer
visit-offline = Keine Verbindung. Wir versuchen es weiter; Ihr Platz bleibt Ihnen erhalten.
visit-online-again = Die Verbindung ist wieder da.
visit-elsewhere-heading = Ihr Besuch ist jetzt in einem anderen Browser offen
visit-elsewhere = Sie haben Ihren Link in einem anderen Browser oder auf einem anderen Gerät geöffnet. Dort geht es weiter. Möchten Sie hier weitermachen? Dann öffnen Sie den Link aus unserer E-Mail noch einmal hier.
visit-unknown-heading = Diesen Besuch gibt es hier nicht
visit-unknown = Vielleicht ist er schon gelöscht, oder Sie haben in einem anderen Browser angeklopft.
visit-to-lobby = Zu allen Büros
visit-failed = Das hat nicht geklappt: { $reason }
visit-failed-network = keine Verbindung zum Server

## Besuch: warten

visit-waiting-title = { $ticket }: Platz { $position }
visit-waiting-title-plain = { $ticket }: Sie warten
visit-waiting-heading = Sie sind in der Warteschlange
visit-position = { $position ->
    [1] Sie sind als Nächstes dran.
   *[other] Vor Ihnen { $ahead ->
        [one] wartet eine Person
       *[other] warten { $ahead } Personen
    }. Sie sind auf Platz { $position }.
}
visit-estimate-range = Voraussichtlich noch { $low } bis { $high } Minuten.
visit-estimate-about = { $high ->
    [one] Voraussichtlich noch etwa eine Minute.
   *[other] Voraussichtlich noch etwa { $high } Minuten.
}
visit-estimate-soon = { $high ->
    [one] Es dauert höchstens noch eine Minute.
   *[other] Es dauert höchstens noch { $high } Minuten.
}
visit-estimate-hours = { $hours ->
    [one] Es dauert voraussichtlich noch über eine Stunde.
   *[other] Es dauert voraussichtlich noch über { $hours } Stunden.
}
visit-estimate-unknown = Gerade ist kein Platz besetzt. Das Büro weiß, dass Sie warten.
visit-notice = Hinweis aus dem Büro
visit-keep-open = Lassen Sie diese Seite offen. Wenn Sie sie neu laden oder kurz die Verbindung verlieren, behalten Sie Ihren Platz.
visit-alerts-heading = Damit Sie nichts verpassen
visit-notify = Benachrichtigen, wenn ich dran bin
visit-notify-on = Sie bekommen eine Benachrichtigung, wenn Sie dran sind.
visit-notify-denied = Ihr Browser lässt keine Benachrichtigungen zu. Achten Sie bitte auf Ton und Titel dieser Seite.
visit-sound = Ton, wenn ich dran bin
visit-sound-test = Ton testen
visit-awake = Bildschirm anlassen, solange ich warte
visit-leave = Warteschlange verlassen
visit-leave-heading = Warteschlange verlassen?
visit-leave-text = Ihre Nummer verfällt. Wenn Sie später wieder anklopfen, stellen Sie sich hinten an.
visit-leave-stay = Weiter warten
visit-messages-heading = Nachrichten aus dem Büro

## Besuch: gerufen

visit-called-title = Sie sind dran!
visit-called-heading = Sie sind dran!
visit-called-by = { $clerk } ruft Sie.
visit-called-text = Jemand aus dem Büro hat jetzt Zeit für Sie.
visit-enter = Jetzt eintreten
visit-enter-by = { $minutes ->
    [0] Sie haben noch weniger als eine Minute.
    [one] Sie haben noch etwa eine Minute.
   *[other] Sie haben noch etwa { $minutes } Minuten.
}
visit-called-notification = { $ticket }: Sie sind dran!
visit-called-notification-body = { $office } hat jetzt Zeit für Sie. Bitte treten Sie ein.

## Besuch: Gespräch

visit-conversation-title = Gespräch: { $office }
visit-conversation-title-new = Neue Nachricht: { $office }
visit-conversation-heading = Ihr Gespräch
visit-conversation-with = Sie sprechen mit { $clerk }.
visit-log = Nachrichten
visit-log-empty = Noch keine Nachrichten. Schreiben Sie gern los.
visit-author-you = Sie
visit-author-office = Büro
visit-author-participant = Mitarbeitende
visit-delivery-sending = Wird gesendet
visit-delivery-delivered = Zugestellt
visit-delivery-failed = Nicht gesendet
visit-message-retry = Noch einmal senden
visit-typing = { $clerk } schreibt …
visit-typing-somebody = Es wird geschrieben …
visit-compose = Ihre Nachricht
visit-compose-hint = Eingabetaste sendet, Umschalt und Eingabetaste beginnt eine neue Zeile.
visit-send = Senden
visit-attach = Datei senden
visit-attach-hint = PDF, JPEG, PNG oder WebP, höchstens 10 MB
visit-file-type = „{ $name }“ können wir nicht annehmen. Bitte senden Sie PDF, JPEG, PNG oder WebP.
visit-file-size = „{ $name }“ ist zu groß. Höchstens 10 MB sind möglich.
visit-file-empty = „{ $name }“ ist leer.
visit-file-download = { $name } herunterladen ({ $size })
visit-file-image = Bild: { $name }
visit-file-kb = { $size } kB
visit-file-mb = { $size } MB
visit-file-sending = { $name } wird gesendet …
visit-finish = Gespräch verlassen
visit-finish-heading = Gespräch verlassen?
visit-finish-text = Das Gespräch endet damit. Die Nachrichten können Sie danach nicht mehr sehen.
visit-finish-stay = Weiter sprechen

## Videogespräch anbieten

offer-heading = Möchten Sie sich auch sehen und hören?
offer-text = Sie können mit Bild und Ton sprechen. Schreiben können Sie immer.
offer-video = Mit Bild und Ton sprechen
offer-audio = Nur mit Ton sprechen
offer-loading = Das Videogespräch wird geladen …
offer-failed = Das Videogespräch lässt sich nicht laden. Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.
offer-check = Kamera und Mikrofon testen
offer-check-optional = freiwillig
offer-check-entering-video = So sieht und hört man Sie gleich
offer-check-entering-audio = So hört man Sie gleich
live-text = { $name } tippt

## Besuch: zu Ende

visit-ended-title = Besuch beendet
visit-ended-served-heading = Vielen Dank für Ihren Besuch
visit-ended-served = Das Gespräch ist beendet. Was Sie geschrieben haben, wird gelöscht.
visit-ended-left-heading = Sie sind gegangen
visit-ended-left = Ihre Nummer ist nicht mehr gültig. Sie können jederzeit wieder anklopfen.
visit-ended-no-show-heading = Ihre Nummer ist verfallen
visit-ended-no-show = Wir haben Sie gerufen oder die Verbindung verloren und nichts mehr von Ihnen gehört. Klopfen Sie gern noch einmal an. Hatten Sie einen Termin? Dann öffnen Sie den Link aus unserer E-Mail noch einmal.
visit-ended-declined-heading = Wir können Ihnen hier nicht helfen
visit-ended-declined = Das Büro hat Ihre Anfrage nicht angenommen.
visit-ended-declined-reason = Das Büro schreibt dazu
visit-knock-again = Erneut anklopfen
visit-rating-heading = Wie zufrieden waren Sie?
visit-rating-hint = Freiwillig und ohne Namen.
visit-rating-1 = 1 – gar nicht zufrieden
visit-rating-2 = 2 – wenig zufrieden
visit-rating-3 = 3 – teils, teils
visit-rating-4 = 4 – zufrieden
visit-rating-5 = 5 – sehr zufrieden
visit-rating-send = Bewertung senden
visit-rating-choose = Bitte wählen Sie eine Bewertung.
visit-rating-thanks = Danke für Ihre Bewertung.

## Termin buchen

book-step-service = Worum geht es?
book-step-time = Wann passt es Ihnen?
book-step-contact = Wer kommt?
book-services = Anliegen. Sie können mehrere wählen.
book-choose-service = Bitte wählen Sie mindestens ein Anliegen.
book-find-time = Freie Zeiten zeigen
book-none = Zurzeit ist kein Termin frei. Sie können während der Öffnungszeiten ohne Termin anklopfen.
book-as-list = Als Liste zeigen
book-as-calendar = Als Kalender zeigen
book-times = Freie Zeiten am { $day }
book-time = { $time } Uhr
book-day-none = An diesem Tag ist nichts frei.
book-day-free = { $count ->
    [0] nichts frei
    [one] eine Zeit frei
   *[other] { $count } Zeiten frei
  }
book-day-unknown = noch nicht geladen
book-month-free = { $count ->
    [0] In diesem Monat ist nichts frei.
    [one] In diesem Monat ist an einem Tag etwas frei.
   *[other] In diesem Monat ist an { $count } Tagen etwas frei.
}
book-loading = Freie Zeiten werden geladen …
book-load-again = Noch einmal laden
book-more-days = Weitere Tage zeigen
book-no-more-days = Mehr freie Tage gibt es zurzeit nicht.
book-month-before = Voriger Monat
book-month-after = Nächster Monat
book-grid-hint = Mit den Pfeiltasten wechseln Sie den Tag, mit Bild auf und Bild ab den Monat.
book-alternatives = Diese Zeiten liegen am nächsten
book-back = Zurück
book-other-time = Andere Zeit wählen
book-held = Diese Zeit ist bis { $until } Uhr für Sie reserviert.
book-held-ends = Die Reservierung endet um { $until } Uhr. Ist sie vorbei, wählen Sie einfach noch einmal eine Zeit. Was Sie hier eingetragen haben, bleibt stehen.
book-field-name = Name
book-field-mail = E-Mail-Adresse
book-field-phone = Telefon
book-field-language = Sprache
book-field-interpreter = Dolmetschen: Für welche Sprache?
book-field-accessibility = Was brauchen Sie, um gut teilnehmen zu können?
book-field-companion_mail = E-Mail-Adresse einer Begleitperson
book-field-privacy_accepted = Datenschutz
book-field-services = Anliegen
book-field-start = Zeit
book-mail-hint = Dorthin schicken wir die Einladung und den Link.
book-phone-hint = Dort rufen wir an, wenn eine E-Mail nicht ankommt.
book-accessibility-hint = Zum Beispiel Gebärdensprache, Untertitel oder mehr Zeit.
book-privacy-hint = Ihre Angaben werden nach dem Termin gelöscht.
book-submit = Termin buchen
book-done = Ihr Termin ist gebucht
book-done-text = Wir haben die Einladung an { $mail } geschickt.
book-nearly-done = Fast geschafft
book-nearly-done-text = Wir haben eine E-Mail an { $mail } geschickt. Bitte öffnen Sie den Link darin und bestätigen Sie den Termin. Erst dann gilt er.
book-nearly-done-until = Bitte bestätigen Sie bis { $until } Uhr. Danach verfällt er.
book-code = Ihre Terminnummer: { $code }
book-manage-link = Zu Ihrem Termin

## Termin verwalten

manage-title = Ihr Termin
manage-loading = Ihr Termin wird geladen …
manage-when = Wann
manage-office = Büro
manage-services = Anliegen
manage-code = Terminnummer
manage-documents = Bitte bereithalten
manage-held-heading = Der Termin ist noch nicht gebucht
manage-unconfirmed-heading = Bitte bestätigen Sie Ihren Termin
manage-unconfirmed-text = Der Termin gilt erst, wenn Sie ihn bestätigen.
manage-confirm = Termin bestätigen
manage-confirmed-heading = Ihr Termin ist gebucht
manage-moved-heading = Ihr Termin ist verschoben
manage-arrived-heading = Sie sind angemeldet
manage-over-heading = Der Termin ist vorbei
manage-over-text = Sie können einen neuen Termin buchen.
manage-cancelled-heading = Der Termin ist abgesagt
manage-cancelled-text = Sie können einen neuen Termin buchen.
manage-expired-heading = Der Termin ist verfallen
manage-expired-text = Er wurde nicht rechtzeitig bestätigt. Sie können einen neuen Termin buchen.
manage-no-show-heading = Der Termin ist vorbei
manage-no-show-text = Er hat nicht stattgefunden. Sie können einen neuen Termin buchen.
manage-book-again = Neuen Termin buchen
manage-come = Ich bin da
manage-come-from = Ab { $from } Uhr können Sie sich hier anmelden. Sie kommen dann ohne Warteschlange an die Reihe.
manage-here-still = Ihr Termin verfällt nicht, solange der andere Besuch dauert. Drücken Sie danach hier noch einmal auf „{ manage-come }“.
manage-here-link = Zum offenen Besuch
manage-to-visit = Zum Gespräch
manage-by-mail = Zum Verschieben oder Absagen nutzen Sie den Link in unserer E-Mail.
manage-calendar = In den Kalender
manage-move = Verschieben
manage-cancel = Absagen
manage-cancel-heading = Termin absagen?
manage-cancel-text = Die Zeit wird dann für andere frei.
manage-cancel-yes = Ja, absagen
manage-cancel-no = Termin behalten
waiting-title = Warteliste für einen früheren Termin
waiting-how = Ihr Termin bleibt, wie er ist. Wird ein früherer Termin frei, der zu Ihrem Anliegen passt, halten wir ihn für Sie und schreiben Ihnen eine E-Mail. Dann entscheiden Sie.
waiting-off = Sie stehen nicht auf der Warteliste.
waiting-on = Sie stehen auf der Warteliste.
waiting-place = Ihr Platz: { $place } von { $of }.
waiting-join = Auf die Warteliste setzen
waiting-leave = Von der Warteliste nehmen
waiting-own = Ihr jetziger Termin
waiting-not-possible = Die Warteliste ist für gebuchte Termine, die noch nicht begonnen haben.
waiting-back = Zu Ihrem Termin
waiting-link = Zur Warteliste
waiting-manage-heading = Früherer Termin gewünscht?
waiting-book-hint = Passt kein früher Tag? Buchen Sie zuerst eine Zeit, die geht. Danach können Sie sich auf die Warteliste für einen früheren Termin setzen.
manage-offer-earlier = Ein früherer Termin ist für Sie frei
manage-offer-office = Wir bieten Ihnen eine andere Zeit an
manage-offer-until = Diese Zeit ist bis { $until } Uhr für Sie reserviert. Ihr bisheriger Termin bleibt, bis Sie die neue Zeit nehmen.
manage-offer-take = Diese Zeit nehmen
manage-offer-decline = Passt mir nicht
manage-links = Dolmetschen und Begleitung
manage-links-text = Wer dolmetscht oder Sie begleitet, bekommt einen eigenen Link. Er führt zum Gespräch. Ändern lässt sich der Termin damit nicht.
manage-link-interpreter = Link für Dolmetschende
manage-link-companion = Link für Begleitperson
manage-link-for-interpreter = Für Dolmetschende
manage-link-for-companion = Für die Begleitperson

# Jemand kommt dazu: eine dolmetschende oder begleitende Person.
bring-heading = Jemanden dazuholen
bring-text = Wer dolmetscht oder Sie begleitet, bekommt einen eigenen Link zum Videogespräch. Lesen, was Sie schreiben, kann diese Person nicht. Der Link gilt bis zum Ende des Gesprächs.
bring-interpreter = Link zum Dolmetschen
bring-companion = Link für Begleitung
bring-link-interpreter = Zum Dolmetschen
bring-link-companion = Für die Begleitung
bring-copy = Link kopieren
bring-copied = Der Link ist kopiert.
bring-share = Link teilen
beside-waiting-heading = Gleich geht es los
beside-waiting-text = Sie kommen zu einem Gespräch im Büro „{ $office }“ dazu. Diese Seite wartet von selbst, bis es beginnt.
beside-ready-heading = Sie kommen dazu
beside-ready-text = Gespräch { $ticket } im Büro „{ $office }“
beside-ready-clerk = Gespräch { $ticket } im Büro „{ $office }“ mit { $clerk }
beside-over-heading = Das Gespräch ist beendet
beside-over-text = Das Gespräch ist zu Ende, oder der Link wurde auf einem anderen Gerät geöffnet. Sie können diese Seite schließen.
beside-out-heading = Sie sind nicht mehr im Gespräch
beside-out-text = Das Büro hat Ihre Teilnahme beendet. Niemand sieht und hört Sie mehr. Sie können diese Seite schließen. Bittet das Büro Sie wieder dazu, öffnen Sie den Link noch einmal.
beside-join-text = Nehmen Sie mit Bild und Ton oder nur mit Ton teil.
manage-join = Zum Gespräch
manage-join-text = Kommen Sie zur Zeit des Termins auf diese Seite. Sie wartet von selbst, bis das Gespräch beginnt.
